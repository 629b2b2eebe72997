package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonRowDecoderTest {

    private static final RowType TYPE =
            (RowType)
                    DataTypes.ROW(
                                    DataTypes.FIELD("text", DataTypes.STRING().notNull()),
                                    DataTypes.FIELD("number", DataTypes.DOUBLE()),
                                    DataTypes.FIELD("integer", DataTypes.BIGINT()),
                                    DataTypes.FIELD("flag", DataTypes.BOOLEAN()),
                                    DataTypes.FIELD("time", DataTypes.TIMESTAMP_LTZ(3)))
                            .getLogicalType();

    private final JsonRowDecoder decoder = new JsonRowDecoder(TYPE);

    @Test
    void readsEveryKindOfField() {
        RowData row =
                decode(
                        "{\"text\":\"d\u2019été \uD83D\uDE80\",\"number\":-1.5,\"integer\":42,\"flag\":true,\"time\":\"1969-12-31T23:59:59.5Z\"}");
        assertEquals("d\u2019été \uD83D\uDE80", row.getString(0).toString());
        assertEquals(-1.5, row.getDouble(1));
        assertEquals(42, row.getLong(2));
        assertTrue(row.getBoolean(3));
        assertEquals(-500, row.getTimestamp(4, 3).getMillisecond());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "null",
                "[]",
                "\"text\"",
                "42",
                "{\"text\"}",
                "{\"text\":}",
                "{\"text\":\"a\"",
                "{\"text\":\"a\",}",
                "{\"text\":\"a\"}}",
                "{\"text\":\"a\"} x",
                "{\"text\":\"a\"}{\"text\":\"b\"}",
                "{'text':'a'}",
                "{text:\"a\"}",
                "{\"text\":\"a\"/* b */}",
                "{\"text\":\"a\nb\"}",
                "{\"text\":\"\\x41\"}",
                "{\"text\":\"a\",\"other\":nul}",
                "{\"text\":\"a\",\"other\":[1,}",
                "{\"text\":\"a\",\"number\":NaN}",
                "{\"text\":\"a\",\"number\":Infinity}",
                "{\"text\":\"a\",\"number\":+1}",
                "{\"text\":\"a\",\"number\":01}",
                "{\"text\":\"a\",\"number\":.5}",
                "{\"text\":\"a\",\"number\":1.}",
                "{\"text\":\"a\",\"number\":0x1}",
                "\uFEFF{\"text\":\"a\"}",
            })
    void takesNothingThatIsNotOneJsonObject(String value) {
        assertNull(decode(value));
    }

    @Test
    void takesWhiteSpaceAroundTheObject() {
        assertNotNull(decode(" \r\n\t{ \"text\" : \"a\" } \n"));
    }

    @Test
    void takesNoValueAtAll() {
        assertNull(decoder.decode(null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"text\":1}",
                "{\"text\":true}",
                "{\"text\":{}}",
                "{\"text\":[\"a\"]}",
                "{\"text\":{\"text\":\"a\"}}",
                "{\"text\":\"a\",\"number\":\"1\"}",
                "{\"text\":\"a\",\"number\":[1]}",
                "{\"text\":\"a\",\"integer\":\"1\"}",
                "{\"text\":\"a\",\"integer\":true}",
                "{\"text\":\"a\",\"flag\":0}",
                "{\"text\":\"a\",\"flag\":\"true\"}",
                "{\"text\":\"a\",\"time\":0}",
                "{\"text\":\"a\",\"time\":\"yesterday\"}",
                "{\"text\":\"a\",\"time\":\"2030-02-29T00:00:00Z\"}",
            })
    void takesNoValueOfAnotherType(String value) {
        assertNull(decode(value));
    }

    @Test
    void readsWhatIsMissingAsNullWhereItMayBe() {
        RowData missing = decode("{\"text\":\"a\"}");
        RowData given = decode("{\"text\":\"a\",\"number\":null,\"integer\":null,\"flag\":null,\"time\":null}");
        assertEquals(missing, given);
        for (int position = 1; position < 5; position++) {
            assertTrue(missing.isNullAt(position));
        }
        assertNull(decode("{\"number\":1}"));
        assertNull(decode("{\"text\":null}"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "1.0, 1",
        "-2e3, -2000",
        "9007199254740993, 9007199254740993",
        "9223372036854775807, 9223372036854775807",
        "-9223372036854775808, -9223372036854775808",
        "1e18, 1000000000000000000",
    })
    void readsWholeNumbersInEverySpelling(String spelling, long number) {
        assertEquals(number, decode("{\"text\":\"a\",\"integer\":" + spelling + "}").getLong(2));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9223372036854775808",
                "-9223372036854775809",
                "9223372036854775808.0",
                "1e19",
                "1e400",
                "-1e400",
                "1.5",
                "1e-3",
                "99999999999999999999999999999999999999",
            })
    void takesNoIntegerThatIsNoneOrTooLarge(String spelling) {
        assertNull(decode("{\"text\":\"a\",\"integer\":" + spelling + "}"));
    }

    @Test
    void readsNumbersAsFarAsADoubleReaches() {
        assertEquals(Double.MAX_VALUE, number("1.7976931348623157e308"));
        assertEquals(Double.MIN_VALUE, number("5e-324"));
        assertEquals(1e38, number("99999999999999999999999999999999999999"));
        assertEquals(0.1 + 0.2, number("0.30000000000000004"));
        assertNull(decode("{\"text\":\"a\",\"number\":1e309}"));
        assertNull(decode("{\"text\":\"a\",\"number\":1" + "0".repeat(2_000) + "}"));
    }

    @Test
    void readsTheLastOfSeveralEqualNames() {
        assertEquals("b", decode("{\"text\":\"a\",\"text\":\"b\"}").getString(0).toString());
        assertEquals("b", decode("{\"text\":1,\"text\":\"b\"}").getString(0).toString());
        assertEquals("b", decode("{\"text\":{\"text\":[1]},\"text\":\"b\"}").getString(0).toString());
        assertNull(decode("{\"text\":\"a\",\"text\":1}"));
        assertNull(decode("{\"text\":\"a\",\"text\":null}"));
    }

    @Test
    void leavesOutFieldsThatTheTypeDoesNotName() {
        RowData row = decode("{\"other\":{\"text\":1,\"a\":[{\"text\":2}]},\"text\":\"a\",\"more\":[[],{}]}");
        assertEquals(decode("{\"text\":\"a\"}"), row);
    }

    @Test
    void findsFieldsWhoseNamesAreEscaped() {
        assertEquals("a", decode("{\"t\\u0065xt\":\"\\u0061\"}").getString(0).toString());
    }

    @Test
    void takesDeepNestingForMalformedInsteadOfRunningOutOfStack() {
        assertNotNull(decode(nested(900)));
        assertNull(decode(nested(100_000)));
        assertNull(decode("[".repeat(100_000)));
    }

    @Test
    void takesNoBytesThatAreNotUtf8() {
        byte[][] invalid = {
            {(byte) 0xff},
            {(byte) 0xc3},
            {(byte) 0xc0, (byte) 0xaf},
            {(byte) 0xe0, (byte) 0x80, (byte) 0xaf},
            {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
            {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
        };
        for (byte[] bytes : invalid) {
            assertNull(decoder.decode(around("{\"text\":\"", bytes, "\"}")));
            assertNull(decoder.decode(around("{\"text\":\"a\",\"other\":\"", bytes, "\"}")));
        }
        assertNull(decoder.decode("{\"text\":\"a\"}".getBytes(StandardCharsets.UTF_16BE)));
        assertNull(decoder.decode("{\"text\":\"a\"}".getBytes(StandardCharsets.UTF_16LE)));
    }

    @Test
    void takesNoLoneSurrogates() {
        assertNull(decode("{\"text\":\"\\ud800\"}"));
        assertNull(decode("{\"text\":\"a\\udc00b\"}"));
        assertNull(decode("{\"text\":\"\\udc00\\ud800\"}"));
        assertEquals("\uD83D\uDE80", decode("{\"text\":\"\\ud83d\\ude80\"}").getString(0).toString());
    }

    @Test
    void forgetsWhatItReadBefore() {
        assertNotNull(decode("{\"text\":\"" + "long ".repeat(1_000) + "\"}"));
        assertNull(decoder.decode(new byte[] {(byte) 0xc3}));
        assertNull(decode("{\"text\":\"a\""));
        assertEquals("b", decode("{\"text\":\"b\"}").getString(0).toString());
    }

    @Test
    void neverThrowsWhateverTheBytes() {
        byte[] sample = "{\"text\":\"é\",\"number\":1.5e3,\"integer\":7,\"flag\":false,\"time\":\"2030-01-01T00:00:00Z\"}".getBytes(StandardCharsets.UTF_8);
        Random random = new Random(20_301);
        int whole = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = sample.clone();
            for (int change = random.nextInt(3); change >= 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            whole += decoder.decode(bytes) == null ? 0 : 1;
        }
        assertTrue(whole > 0 && whole < 20_000);
    }

    @Test
    void travelsToTheTaskThatUsesIt() throws Exception {
        JsonRowDecoder copy = InstantiationUtil.clone(decoder);
        assertFalse(copy.decode("{\"text\":\"a\"}".getBytes(StandardCharsets.UTF_8)).isNullAt(0));
    }

    private double number(String spelling) {
        return decode("{\"text\":\"a\",\"number\":" + spelling + "}").getDouble(1);
    }

    private RowData decode(String value) {
        return decoder.decode(value.getBytes(StandardCharsets.UTF_8));
    }

    private static String nested(int depth) {
        return "{\"text\":\"a\",\"other\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
    }

    private static byte[] around(String before, byte[] bytes, String after) {
        return ByteBuffer.allocate(before.length() + bytes.length + after.length())
                .put(before.getBytes(StandardCharsets.US_ASCII))
                .put(bytes)
                .put(after.getBytes(StandardCharsets.US_ASCII))
                .array();
    }
}
