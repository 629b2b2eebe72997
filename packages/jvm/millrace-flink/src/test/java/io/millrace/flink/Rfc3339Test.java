package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Rfc3339Test {

    @ParameterizedTest
    @CsvSource({
        "2001-09-09T01:46:40Z, 2001-09-09T01:46:40Z",
        "2001-09-09t01:46:40z, 2001-09-09T01:46:40Z",
        "2001-09-09T03:46:40+02:00, 2001-09-09T01:46:40Z",
        "2001-09-08T20:16:40-05:30, 2001-09-09T01:46:40Z",
        "2001-09-09T01:46:40-00:00, 2001-09-09T01:46:40Z",
        "2001-09-10T01:45:40+23:59, 2001-09-09T01:46:40Z",
        "2001-09-09T01:46:40.5Z, 2001-09-09T01:46:40.500Z",
        "2001-09-09T01:46:40.007+00:00, 2001-09-09T01:46:40.007Z",
        "2001-09-09T01:46:40.999999999999Z, 2001-09-09T01:46:40.999Z",
        "1969-12-31T23:59:59.9995Z, 1969-12-31T23:59:59.999Z",
        "1600-02-29T00:00:00Z, 1600-02-29T00:00:00Z",
        "2024-02-29T00:00:00Z, 2024-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z, 0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z, 9999-12-31T23:59:59.999Z",
        "2016-12-31T23:59:60Z, 2017-01-01T00:00:00Z",
        "2016-12-31T15:59:60.25-08:00, 2017-01-01T00:00:00.250Z",
    })
    void readsATime(String text, Instant time) {
        assertEquals(time.toEpochMilli(), Rfc3339.epochMillis(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2001-09-09",
                "2001-09-09T01:46:40",
                "2001-09-09T01:46Z",
                "2001-09-09 01:46:40Z",
                "2001-09-09T01:46:40 Z",
                " 2001-09-09T01:46:40Z",
                "2001-09-09T01:46:40Z ",
                "2001-09-09T01:46:40ZZ",
                "2001-09-09T01:46:40.Z",
                "2001-09-09T01:46:40.5",
                "2001-09-09T01:46:40,5Z",
                "2001-09-09T01:46:40+2:00",
                "2001-09-09T01:46:40+0200",
                "2001-09-09T01:46:40+02",
                "2001-09-09T01:46:40+24:00",
                "2001-09-09T01:46:40+02:60",
                "2001-09-09T01:46:40\u221202:00",
                "2001-00-09T01:46:40Z",
                "2001-13-09T01:46:40Z",
                "2001-09-00T01:46:40Z",
                "2001-09-31T01:46:40Z",
                "2001-02-29T01:46:40Z",
                "1900-02-29T01:46:40Z",
                "2001-09-09T24:00:00Z",
                "2001-09-09T01:60:40Z",
                "2001-09-09T01:46:61Z",
                "2001-09-09T01:46:60Z",
                "2016-12-31T23:59:60-08:00",
                "-001-09-09T01:46:40Z",
                "+2001-09-09T01:46:40Z",
                "12001-09-09T01:46:40Z",
                "2001-9-9T01:46:40Z",
                "２００１-09-09T01:46:40Z",
                "0000-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "9999-12-31T23:59:60Z",
            })
    void takesNothingElseForATime(String text) {
        assertEquals(Rfc3339.INVALID, Rfc3339.epochMillis(text));
    }

    @Test
    void agreesWithJavaOnEveryTime() {
        Random random = new Random(3_339);
        long first = LocalDateTime.of(0, 1, 2, 0, 0).toEpochSecond(ZoneOffset.UTC);
        long last = LocalDateTime.of(9_999, 12, 30, 0, 0).toEpochSecond(ZoneOffset.UTC);
        for (int round = 0; round < 50_000; round++) {
            Instant instant = Instant.ofEpochSecond(random.nextLong(first, last), random.nextInt(1_000_000_000));
            ZoneOffset offset = ZoneOffset.ofTotalSeconds(60 * random.nextInt(-18 * 60, 18 * 60 + 1));
            String text = OffsetDateTime.ofInstant(instant, offset).format(written(random.nextInt(10)));
            assertEquals(OffsetDateTime.parse(text).toInstant().toEpochMilli(), Rfc3339.epochMillis(text), text);
        }
    }

    @Test
    void takesNoTimeThatJavaRefuses() {
        Random random = new Random(9_333);
        for (int round = 0; round < 50_000; round++) {
            StringBuilder text = new StringBuilder("2023-06-30T23:59:59.125+01:30");
            text.setCharAt(random.nextInt(text.indexOf("+")), "0123456789-:.TZ+ ".charAt(random.nextInt(17)));
            long read = Rfc3339.epochMillis(text);
            if (read != Rfc3339.INVALID) {
                assertEquals(OffsetDateTime.parse(text).toInstant().toEpochMilli(), read, text.toString());
            }
        }
    }

    @Test
    void isReadFromTheBytesOfAHeader() {
        ParseRfc3339 function = new ParseRfc3339();
        byte[] epoch = "1970-01-01T00:00:00.001Z".getBytes(StandardCharsets.UTF_8);
        assertEquals(1, function.eval(epoch).getMillisecond());
        assertNull(function.eval(null));
        assertNull(function.eval(new byte[0]));
        assertNull(function.eval(new byte[] {(byte) 0xff, (byte) 0xfe}));
        assertNull(function.eval(("1970-01-01T00:00:00." + "0".repeat(1_000_000) + "Z").getBytes(StandardCharsets.UTF_8)));
    }

    private static DateTimeFormatter written(int fractionDigits) {
        String fraction = fractionDigits == 0 ? "" : "." + "S".repeat(fractionDigits);
        return DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss" + fraction + "xxx");
    }
}
