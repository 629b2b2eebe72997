package io.millrace.flink;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code CLOSED_WINDOWS(time TIMESTAMP_LTZ(3), watermark TIMESTAMP_LTZ(3), size BIGINT, every BIGINT) → INT}: how many of the windows that a time
 * is in a watermark has closed; of windows of {@code size} ms one begins every {@code every} ms, from the epoch on.
 *
 * <p>Why: a window operator leaves an event out of those that have closed and says of none which they were.
 */
public final class ClosedWindows extends ScalarFunction {

    public int eval(
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData time,
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData watermark,
            long size,
            long every) {
        if (time == null || watermark == null) {
            return 0;
        }
        long lastEnd = Math.floorDiv(time.getMillisecond(), every) * every + size;
        long ahead = Math.max(0, lastEnd - 1 - watermark.getMillisecond());
        long open = -Math.floorDiv(-ahead, every);
        return (int) (size / every - Math.min(open, size / every));
    }
}
