package io.millrace.flink;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.WakeupException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The newest value of each key of a topic, in memory: read as a whole and followed by a thread of its own. */
final class LatestValues implements AutoCloseable {

    /** What one table may hold: it is on the heap of the process, beside the state of all its jobs. */
    private static final long BYTES_MAX = 64L << 20;

    private static final Duration LOAD_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration PARTITIONS_CHECK = Duration.ofSeconds(30);

    private final String topic;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Map<ByteBuffer, byte[]> values = new ConcurrentHashMap<>();
    private final CountDownLatch loaded = new CountDownLatch(1);
    private final Thread reader;
    private long bytes;
    private volatile boolean closed;
    private volatile RuntimeException failure;

    /** Begins to read. {@code connection}: how to reach the brokers; the password is that of the JVM. */
    LatestValues(String topic, Properties connection) {
        Properties properties = new Properties();
        properties.putAll(connection);
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        this.topic = topic;
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        reader = new Thread(this::read, "latest-values-" + topic);
        reader.setDaemon(true);
        reader.start();
    }

    /** Waits until all is read that the topic held when reading began. */
    void awaitAll() throws InterruptedException {
        if (!loaded.await(LOAD_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException(
                    "The topic " + topic + ", which is joined, could not be read in " + LOAD_TIMEOUT.toSeconds() + " s");
        }
        throwFailure();
    }

    /** The newest value of a key, or null. What ended the reading is thrown, so that the job begins again. */
    byte[] get(byte[] key) {
        throwFailure();
        return values.get(ByteBuffer.wrap(key));
    }

    @Override
    public void close() {
        closed = true;
        consumer.wakeup();
    }

    private void throwFailure() {
        if (failure != null) {
            throw new IllegalStateException("The topic " + topic + ", which is joined, is not read any more", failure);
        }
    }

    private void read() {
        try (consumer) {
            List<TopicPartition> partitions = partitions();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long nextCheck = System.nanoTime();
            while (!closed) {
                for (ConsumerRecord<byte[], byte[]> one : consumer.poll(POLL)) {
                    keep(one.key(), one.value());
                }
                if (loaded.getCount() > 0 && ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) {
                    loaded.countDown();
                }
                if (System.nanoTime() > nextCheck) {
                    requireNoMore(partitions.size());
                    nextCheck = System.nanoTime() + PARTITIONS_CHECK.toNanos();
                }
            }
        } catch (WakeupException closing) {
            // As asked.
        } catch (RuntimeException reason) {
            failure = reason;
        } finally {
            loaded.countDown();
        }
    }

    private List<TopicPartition> partitions() {
        return consumer.partitionsFor(topic).stream().map(one -> new TopicPartition(topic, one.partition())).toList();
    }

    /** Keys are elsewhere when there are more partitions: all is read again. */
    private void requireNoMore(int partitions) {
        if (partitions().size() != partitions) {
            throw new IllegalStateException("it has other partitions than when reading began");
        }
    }

    private void keep(byte[] key, byte[] value) {
        if (key == null) {
            return;
        }
        ByteBuffer name = ByteBuffer.wrap(key);
        byte[] before = value == null ? values.remove(name) : values.put(name, value);
        bytes += (value == null ? 0 : key.length + value.length) - (before == null ? 0 : key.length + before.length);
        if (bytes > BYTES_MAX) {
            throw new IllegalStateException(
                    "its newest values are more than the " + (BYTES_MAX >> 20) + " MiB that a joined topic may hold");
        }
    }
}
