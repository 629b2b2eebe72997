package io.millrace.flink;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code LAST_WINDOW_END(time TIMESTAMP_LTZ(3), size BIGINT, every BIGINT) → TIMESTAMP_LTZ(3)}: the end of the last of the windows that a time
 * is in, of which one of {@code size} ms begins every {@code every} ms, from the epoch on.
 *
 * <p>Why: whether a record is late is decided before it is given to its windows, and once, however many they are. SQL has no arithmetic of
 * milliseconds over times.
 */
public final class LastWindowEnd extends ScalarFunction {

    public @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData eval(
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData time, long size, long every) {
        if (time == null) {
            return null;
        }
        return TimestampData.fromEpochMillis(Math.floorDiv(time.getMillisecond(), every) * every + size);
    }
}
