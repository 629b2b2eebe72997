package io.millrace.flink;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;

/** {@code UNPACK_HEADERS(packed BYTES) → MAP}: the headers that {@link PackHeaders} has packed. */
public final class UnpackHeaders extends ScalarFunction {

    @DataTypeHint(value = "MAP<STRING NOT NULL, BYTES>", bridgedTo = MapData.class)
    public MapData eval(byte[] packed) {
        if (packed == null) {
            return null;
        }
        Map<StringData, byte[]> headers = new LinkedHashMap<>();
        ByteBuffer rest = ByteBuffer.wrap(packed);
        while (rest.hasRemaining()) {
            headers.put(StringData.fromBytes(next(rest)), next(rest));
        }
        return new GenericMapData(headers);
    }

    private static byte[] next(ByteBuffer rest) {
        int length = rest.getInt();
        if (length < 0) {
            return null;
        }
        byte[] bytes = new byte[length];
        rest.get(bytes);
        return bytes;
    }
}
