package io.millrace.flink;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;

/**
 * Counts records by partition, minute and outcome, and tells of all of them before each checkpoint: so it keeps no state, and what is told
 * together holds every record before the last of them. What is not told when the job dies is read and counted again.
 */
final class CountOutcomes extends AbstractStreamOperator<RowData> implements OneInputStreamOperator<RowData, RowData> {

    /** How many counts are gathered: some 70 bytes of JSON each, which must fit in a Kafka record. */
    private static final int COUNTS_MAX = 4_096;

    /** The year as ISO 8601 has it, with 0 before 1. */
    private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:00'Z'").withZone(ZoneOffset.UTC);

    private static final int PARTITION = 0;
    private static final int OFFSET = 1;
    private static final int OUTCOME = 2;
    private static final int TIME = 3;
    private static final int MILLIS = 3;
    private static final long MINUTE_MS = 60_000;

    private final String reader;
    private final String topic;
    private transient Map<Integer, Account> accounts;
    private transient int counts;

    CountOutcomes(String reader, String topic) {
        this.reader = reader;
        this.topic = topic;
    }

    @Override
    public void open() {
        accounts = new TreeMap<>();
    }

    @Override
    public void processElement(StreamRecord<RowData> record) {
        RowData row = record.getValue();
        long offset = row.getLong(OFFSET);
        Account account = accounts.computeIfAbsent(row.getInt(PARTITION), ignored -> new Account(offset));
        long minute = Math.floorDiv(row.getTimestamp(TIME, MILLIS).getMillisecond(), MINUTE_MS) * MINUTE_MS;
        if (account.count(offset, minute, row.getString(OUTCOME).toString())) {
            counts++;
        }
        if (counts == COUNTS_MAX) {
            tell();
        }
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpoint) {
        tell();
    }

    @Override
    public void finish() {
        tell();
    }

    private void tell() {
        accounts.forEach((partition, account) -> output.collect(new StreamRecord<>(account.row(reader, topic, partition))));
        accounts.clear();
        counts = 0;
    }

    private record Counted(long minute, String outcome) {}

    private static final class Account {

        private final long first;
        private final Map<Counted, long[]> events = new HashMap<>();
        private long last;

        Account(long first) {
            this.first = first;
        }

        /** Whether it is the first of its minute and outcome. */
        boolean count(long offset, long minute, String outcome) {
            last = offset;
            long[] count = events.computeIfAbsent(new Counted(minute, outcome), ignored -> new long[1]);
            count[0]++;
            return count[0] == 1;
        }

        RowData row(String reader, String topic, int partition) {
            List<RowData> counts = new ArrayList<>();
            events.forEach(
                    (counted, count) ->
                            counts.add(
                                    GenericRowData.of(
                                            StringData.fromString(MINUTE.format(Instant.ofEpochMilli(counted.minute))),
                                            StringData.fromString(counted.outcome),
                                            count[0])));
            return GenericRowData.of(
                    reader.getBytes(StandardCharsets.UTF_8),
                    StringData.fromString(reader),
                    StringData.fromString(topic),
                    partition,
                    first,
                    last + 1,
                    0L,
                    new GenericArrayData(counts.toArray()));
        }
    }
}
