package io.millrace.flink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code PARSE_RFC3339(BYTES) → TIMESTAMP_LTZ(3)}: the time in a record's header, for event types whose time is the CloudEvents
 * attribute. NULL for anything that is not an RFC 3339 time.
 *
 * <p>Why: Flink's own functions read no offsets and stop the job or guess where the text is malformed.
 */
public final class ParseRfc3339 extends ScalarFunction {

    private static final int LENGTH_MAX = 64;

    public @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData eval(byte[] text) {
        if (text == null || text.length > LENGTH_MAX) {
            return null;
        }
        long millis = Rfc3339.epochMillis(new String(text, StandardCharsets.ISO_8859_1));
        return millis == Rfc3339.INVALID ? null : TimestampData.fromEpochMillis(millis);
    }
}
