package io.millrace.flink;

import java.util.Arrays;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * {@code OFFSET_RANGES(partition INT, offset BIGINT) → STRING}: the first and the last offset of each partition, as in {@code 0:12-40,2:7-7}.
 *
 * <p>Why: a result says which records it was made of, and SQL has no map of aggregates.
 */
public final class OffsetRanges extends AggregateFunction<String, OffsetRanges.Ranges> {

    /** Partition, first and last offset, one after the other, partitions in their order. */
    public static class Ranges {
        public long[] values = new long[0];
    }

    private static final int WIDTH = 3;

    @Override
    public Ranges createAccumulator() {
        return new Ranges();
    }

    public void accumulate(Ranges so, Integer partition, Long offset) {
        extend(so, partition, offset, offset);
    }

    public void merge(Ranges so, Iterable<Ranges> others) {
        for (Ranges other : others) {
            for (int at = 0; at < other.values.length; at += WIDTH) {
                extend(so, other.values[at], other.values[at + 1], other.values[at + 2]);
            }
        }
    }

    @Override
    public String getValue(Ranges so) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < so.values.length; at += WIDTH) {
            text.append(at == 0 ? "" : ",").append(so.values[at]).append(':').append(so.values[at + 1]);
            text.append('-').append(so.values[at + 2]);
        }
        return text.toString();
    }

    private static void extend(Ranges so, long partition, long first, long last) {
        int at = 0;
        while (at < so.values.length && so.values[at] < partition) {
            at += WIDTH;
        }
        if (at < so.values.length && so.values[at] == partition) {
            so.values[at + 1] = Math.min(so.values[at + 1], first);
            so.values[at + 2] = Math.max(so.values[at + 2], last);
            return;
        }
        long[] values = Arrays.copyOf(so.values, so.values.length + WIDTH);
        System.arraycopy(so.values, at, values, at + WIDTH, so.values.length - at);
        values[at] = partition;
        values[at + 1] = first;
        values[at + 2] = last;
        so.values = values;
    }
}
