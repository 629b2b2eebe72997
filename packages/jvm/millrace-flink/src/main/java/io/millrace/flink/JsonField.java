package io.millrace.flink;

import java.io.IOException;
import java.io.Serializable;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** One field of a row type, and how its value is read from JSON. */
record JsonField(String name, Kind kind, boolean nullable) implements Serializable {

    /** The scalar types of the pipeline language. */
    enum Kind {
        STRING,
        NUMBER,
        INTEGER,
        BOOLEAN,
        TIMESTAMP
    }

    /** What {@link #read} returns for a value of another type. No row that has it leaves the decoder. */
    static final Object WRONG = new Object();

    private static final double TWO_TO_THE_63RD = 0x1p63;

    static JsonField of(RowType.RowField field) {
        return new JsonField(field.getName(), kindOf(field.getType()), field.getType().isNullable());
    }

    private static Kind kindOf(LogicalType type) {
        switch (type.getTypeRoot()) {
            case VARCHAR:
                return Kind.STRING;
            case DOUBLE:
                return Kind.NUMBER;
            case BIGINT:
                return Kind.INTEGER;
            case BOOLEAN:
                return Kind.BOOLEAN;
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return Kind.TIMESTAMP;
            default:
                throw new ValidationException("DECODE_JSON reads no " + type.asSummaryString());
        }
    }

    /** The value at which the parser stands, as Flink holds it, or {@link #WRONG}. */
    Object read(JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        switch (kind) {
            case STRING:
                return token == JsonToken.VALUE_STRING ? text(json.getText()) : WRONG;
            case NUMBER:
                return token.isNumeric() ? finite(json.getDoubleValue()) : WRONG;
            case INTEGER:
                return token.isNumeric() ? whole(json) : WRONG;
            case BOOLEAN:
                return token.isBoolean() ? (Object) json.getBooleanValue() : WRONG;
            default:
                return token == JsonToken.VALUE_STRING ? timestamp(json.getText()) : WRONG;
        }
    }

    /** A lone surrogate, which JSON can escape, has no UTF-8: it would reach the result as a question mark. */
    private static Object text(String text) {
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (Character.isSurrogate(unit)) {
                boolean pair = at + 1 < text.length() && Character.isSurrogatePair(unit, text.charAt(at + 1));
                if (!pair) {
                    return WRONG;
                }
                at++;
            }
        }
        return StringData.fromString(text);
    }

    private static Object finite(double number) {
        return Double.isFinite(number) ? (Object) number : WRONG;
    }

    /** JSON Schema's integers: 1.0 and 1e3 are among them. */
    private static Object whole(JsonParser json) throws IOException {
        if (json.currentToken() == JsonToken.VALUE_NUMBER_INT) {
            JsonParser.NumberType type = json.getNumberType();
            return type == JsonParser.NumberType.BIG_INTEGER ? WRONG : (Object) json.getLongValue();
        }
        double number = json.getDoubleValue();
        boolean fits = number == Math.rint(number) && number >= -TWO_TO_THE_63RD && number < TWO_TO_THE_63RD;
        return fits ? (Object) (long) number : WRONG;
    }

    private static Object timestamp(String text) {
        long millis = Rfc3339.epochMillis(text);
        return millis == Rfc3339.INVALID ? WRONG : TimestampData.fromEpochMillis(millis);
    }
}
