package io.millrace.flink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.functions.ScalarFunction;

/** {@code HEADER(headers BYTES, name STRING) → BYTES}: a value among {@link PackedHeaders}, NULL where there is none of that name. */
public final class Header extends ScalarFunction {

    private transient String lastName;
    private transient byte[] lastNameBytes;

    public byte[] eval(byte[] packed, String name) {
        if (packed == null) {
            return null;
        }
        // A call has a name of its own, and calls of one expression may share an instance.
        if (!name.equals(lastName)) {
            lastName = name;
            lastNameBytes = name.getBytes(StandardCharsets.UTF_8);
        }
        return PackedHeaders.last(packed, lastNameBytes);
    }
}
