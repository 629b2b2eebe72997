package io.millrace.flink;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code HEADER(headers MAP, name STRING) → BYTES}: the value of a header, NULL where there is none of that name.
 *
 * <p>Why: {@code headers[name]} makes a map in Flink's binary form of the one that the connector gives, and looks into that.
 */
public final class Header extends ScalarFunction {

    public byte[] eval(
            @DataTypeHint(value = "MAP<STRING NOT NULL, BYTES>", bridgedTo = MapData.class) MapData headers,
            @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData name) {
        if (headers == null) {
            return null;
        }
        if (headers instanceof GenericMapData map) {
            return (byte[]) map.get(name);
        }
        ArrayData names = headers.keyArray();
        for (int header = 0; header < headers.size(); header++) {
            if (name.equals(names.getString(header))) {
                ArrayData values = headers.valueArray();
                return values.isNullAt(header) ? null : values.getBinary(header);
            }
        }
        return null;
    }
}
