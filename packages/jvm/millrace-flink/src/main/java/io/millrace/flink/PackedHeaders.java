package io.millrace.flink;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;

/**
 * The headers of a record as bytes, which cost far less on their way through a job than a map. For each header the length of its name, the
 * name, the length of its value (-1: it is null), the value; lengths in four bytes.
 */
final class PackedHeaders {

    private static final int NULL = -1;

    private PackedHeaders() {}

    static byte[] pack(Header[] headers) {
        byte[][] parts = new byte[2 * headers.length][];
        int length = 0;
        for (int header = 0; header < headers.length; header++) {
            byte[] name = headers[header].key().getBytes(StandardCharsets.UTF_8);
            byte[] value = headers[header].value();
            parts[2 * header] = name;
            parts[2 * header + 1] = value;
            length += 2 * Integer.BYTES + name.length + (value == null ? 0 : value.length);
        }
        ByteBuffer packed = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            packed.putInt(part == null ? NULL : part.length);
            if (part != null) {
                packed.put(part);
            }
        }
        return packed.array();
    }

    /** The last of the values of a name, or null: there is none, or that is null. */
    static byte[] last(byte[] packed, byte[] name) {
        byte[] last = null;
        ByteBuffer rest = ByteBuffer.wrap(packed);
        while (rest.hasRemaining()) {
            int length = rest.getInt();
            int end = rest.position() + length;
            boolean isNamed = Arrays.equals(packed, rest.position(), end, name, 0, name.length);
            rest.position(end);
            if (isNamed) {
                last = next(rest);
            } else {
                rest.position(Math.max(0, rest.getInt()) + rest.position());
            }
        }
        return last;
    }

    /** Name → value, of several values of a name the last. */
    static Map<String, byte[]> unpack(byte[] packed) {
        Map<String, byte[]> headers = new LinkedHashMap<>();
        ByteBuffer rest = ByteBuffer.wrap(packed);
        while (rest.hasRemaining()) {
            headers.put(new String(next(rest), StandardCharsets.UTF_8), next(rest));
        }
        return headers;
    }

    private static byte[] next(ByteBuffer rest) {
        int length = rest.getInt();
        if (length == NULL) {
            return null;
        }
        byte[] bytes = new byte[length];
        rest.get(bytes);
        return bytes;
    }
}
