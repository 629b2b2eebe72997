package io.millrace.flink;

import java.nio.ByteBuffer;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code PACK_HEADERS(headers MAP) → BYTES}: for each header the length of its name, the name, the length of its value (-1: it is NULL), the value;
 * lengths in four bytes. {@link UnpackHeaders} makes the same map of it again.
 */
public final class PackHeaders extends ScalarFunction {

    public byte[] eval(
            @DataTypeHint(value = "MAP<STRING NOT NULL, BYTES>", bridgedTo = MapData.class) MapData headers) {
        if (headers == null) {
            return null;
        }
        ArrayData names = headers.keyArray();
        ArrayData values = headers.valueArray();
        byte[][] parts = new byte[2 * headers.size()][];
        int length = 0;
        for (int header = 0; header < headers.size(); header++) {
            byte[] name = names.getString(header).toBytes();
            byte[] value = values.isNullAt(header) ? null : values.getBinary(header);
            parts[2 * header] = name;
            parts[2 * header + 1] = value;
            length += 2 * Integer.BYTES + name.length + (value == null ? 0 : value.length);
        }
        ByteBuffer packed = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            packed.putInt(part == null ? -1 : part.length);
            if (part != null) {
                packed.put(part);
            }
        }
        return packed.array();
    }
}
