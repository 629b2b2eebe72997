package io.millrace.flink;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;

/** {@code UNPACK_HEADERS(headers BYTES) → MAP}: {@link PackedHeaders} as the Kafka connector writes them. */
public final class UnpackHeaders extends ScalarFunction {

    @DataTypeHint(value = "MAP<STRING NOT NULL, BYTES>", bridgedTo = MapData.class)
    public MapData eval(byte[] packed) {
        if (packed == null) {
            return null;
        }
        Map<StringData, byte[]> headers = new LinkedHashMap<>();
        PackedHeaders.unpack(packed).forEach((name, value) -> headers.put(StringData.fromString(name), value));
        return new GenericMapData(headers);
    }
}
