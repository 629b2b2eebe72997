package io.millrace.flink;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/**
 * The records of a topic, which come to one reader in the order that is given, whatever partition they are of. Each partition is a split of its own, as
 * with the Kafka connector, so it has a watermark of its own; it is idle where that is given instead of a record.
 */
final class GivenRecords implements Source<RowData, GivenRecords.Partition, Integer> {

    /** A record, or that its partition is idle. */
    record Given(int partition, RowData record) {}

    /** What a topic holds. */
    record Topic(int partitions, List<Given> given) {}

    /** One partition of a topic. */
    record Partition(int number) implements SourceSplit {
        @Override
        public String splitId() {
            return String.valueOf(number);
        }
    }

    /** Reader and test are in one JVM. */
    static final Map<String, Topic> TOPICS = new ConcurrentHashMap<>();

    private final String topic;

    GivenRecords(String topic) {
        this.topic = topic;
    }

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<RowData, Partition> createReader(SourceReaderContext context) {
        return new Reader(TOPICS.get(topic));
    }

    @Override
    public SplitEnumerator<Partition, Integer> createEnumerator(SplitEnumeratorContext<Partition> context) {
        return new Assigner(context, TOPICS.get(topic).partitions());
    }

    @Override
    public SplitEnumerator<Partition, Integer> restoreEnumerator(SplitEnumeratorContext<Partition> context, Integer state) {
        return createEnumerator(context);
    }

    @Override
    public SimpleVersionedSerializer<Partition> getSplitSerializer() {
        return new Numbers<>(Partition::number, Partition::new);
    }

    @Override
    public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
        return new Numbers<>(number -> number, number -> number);
    }

    /** Emits what is given of its partitions, one after the other. */
    private static final class Reader implements SourceReader<RowData, Partition> {

        private final Topic topic;
        private final Map<Integer, SourceOutput<RowData>> outputs = new HashMap<>();
        private final CompletableFuture<Void> assigned = new CompletableFuture<>();
        private final List<Partition> partitions = new ArrayList<>();
        private int next;

        Reader(Topic topic) {
            this.topic = topic;
        }

        @Override
        public InputStatus pollNext(ReaderOutput<RowData> output) {
            if (!assigned.isDone()) {
                return InputStatus.NOTHING_AVAILABLE;
            }
            if (outputs.isEmpty()) {
                for (Partition partition : partitions) {
                    outputs.put(partition.number(), output.createOutputForSplit(partition.splitId()));
                }
            }
            if (next == topic.given().size()) {
                return InputStatus.END_OF_INPUT;
            }
            Given given = topic.given().get(next++);
            SourceOutput<RowData> partition = outputs.get(given.partition());
            if (partition == null) {
                return InputStatus.MORE_AVAILABLE;
            }
            if (given.record() == null) {
                partition.markIdle();
            } else {
                partition.collect(given.record());
            }
            return InputStatus.MORE_AVAILABLE;
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return assigned;
        }

        @Override
        public void addSplits(List<Partition> splits) {
            partitions.addAll(splits);
        }

        @Override
        public List<Partition> snapshotState(long checkpoint) {
            return List.of();
        }

        @Override
        public void start() {}

        @Override
        public void notifyNoMoreSplits() {
            assigned.complete(null);
        }

        @Override
        public void close() {}
    }

    /** Gives the partitions to the readers in turn. */
    private record Assigner(SplitEnumeratorContext<Partition> context, int partitions)
            implements SplitEnumerator<Partition, Integer> {

        @Override
        public void addReader(int reader) {
            for (int partition = reader; partition < partitions; partition += context.currentParallelism()) {
                context.assignSplit(new Partition(partition), reader);
            }
            context.signalNoMoreSplits(reader);
        }

        @Override
        public Integer snapshotState(long checkpoint) {
            return partitions;
        }

        @Override
        public void start() {}

        @Override
        public void handleSplitRequest(int reader, String host) {}

        @Override
        public void addSplitsBack(List<Partition> splits, int reader) {}

        @Override
        public void close() {}
    }

    private record Numbers<T>(java.util.function.ToIntFunction<T> toNumber, java.util.function.IntFunction<T> of)
            implements SimpleVersionedSerializer<T> {

        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T value) {
            return new byte[] {(byte) toNumber.applyAsInt(value)};
        }

        @Override
        public T deserialize(int version, byte[] serialized) {
            return of.apply(serialized[0]);
        }
    }
}
