package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the compiled SQL does with events, in Flink itself. */
class RunningPipelineTest {

    /** What accounts are made of. */
    private static final String COUNTED =
            "SELECT `record_offset`, `outcome`, DATE_FORMAT(CAST(`account_time` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss''Z''') FROM `counted`";

    @Test
    void isLateFromTheMomentThatTheWatermarkReachesTheLastMillisecondOfTheWindow() throws Exception {
        PipelineInProcess run =
                orders(
                        "spend-per-customer",
                        order("ada", 1, "2030-01-01T10:00:00Z"),
                        order("ada", 2, "2030-01-01T11:04:59.998Z"),
                        order("ada", 4, "2030-01-01T10:59:59.999Z"),
                        order("ada", 8, "2030-01-01T11:04:59.999Z"),
                        order("ada", 16, "2030-01-01T10:59:59.999Z"),
                        order("ada", 32, "2030-01-01T10:00:00Z"),
                        order("ada", 64, "2030-01-01T11:00:00Z"));
        List<Row> late = run.writtenTo("late_events");
        assertEquals(List.of("key-4", "key-5"), keys(late));
        Map<String, String> headers = headers(late.get(0));
        assertEquals("2030-01-01T11:00:00.000Z", headers.get("millrace_window_end"));
        assertEquals("2030-01-01T10:59:59.999Z", headers.get("millrace_watermark"));
        assertEquals("104", headers.get("millrace_origin_offset"));
        assertEquals("itself", headers.get("own"));

        List<Row> results = run.writtenTo("results");
        assertEquals(List.of(2L, 3L), column(results, 4));
        assertEquals(List.of(5.0, 74.0), column(results, 5));
        assertEquals(
                List.of("ada/2030-01-01T10:00:00.000Z", "ada/2030-01-01T11:00:00.000Z"),
                results.stream().map(row -> headers(row).get("ce_id")).toList());
    }

    @Test
    void keepsEventsThatAreLateBecauseOfEventsThatTheFilterTookOut() throws Exception {
        PipelineInProcess run =
                orders(
                        "paid-only",
                        order("ada", 0, "2030-01-01T12:00:00Z"),
                        order("ada", 1, "2030-01-01T10:30:00Z"),
                        order("ada", 2, "2030-01-01T12:00:01Z"));
        assertEquals(List.of("key-1"), keys(run.writtenTo("late_events")));
        assertEquals(List.of(1L), column(run.writtenTo("results"), 4));
    }

    @Test
    void knowsAfterAFailureWhichEventsAreLate() throws Exception {
        PipelineInProcess run =
                orders(
                                "spend-per-customer",
                                order("ada", 1, "2030-01-01T12:00:00Z"),
                                order("ada", 2, "2030-01-01T10:30:00Z"),
                                order("ada", 4, "2030-01-01T12:00:01Z"))
                        .failingOnceAt(1);
        assertEquals(List.of("key-1"), keys(run.writtenTo("late_events")));
        assertEquals(List.of(5.0), column(run.writtenTo("results"), 5));
    }

    @Test
    void dropsWhatItWouldElseKeepAsLate() throws Exception {
        PipelineInProcess run =
                orders(
                        "late-dropped",
                        order("ada", 1, "2030-01-01T12:00:00Z"),
                        order("ada", 2, "2030-01-01T10:30:00Z"),
                        order("ada", 4, "2030-01-01T12:00:01Z"));
        assertEquals(List.of(5.0), column(run.writtenTo("results"), 5));
        assertEquals(List.of("processed", "late", "processed"), column(run.rowsOf(COUNTED), 1));
    }

    @Test
    void givesEachRecordOneOutcomeAndTheTimeByWhichItIsCounted() throws Exception {
        String addressee = "millrace_replay_for";
        String time = "millrace_event_time";
        PipelineInProcess run = new PipelineInProcess(CompiledPipeline.read("paid-only"));
        run.record(order("ada", 1, "2030-01-01T12:00:00Z"), Map.of(time, "2030-01-01T12:00:00Z", "ce_time", "2031-01-01T00:00:00Z"));
        run.record(order("ada", 0, "2030-01-01T10:30:00Z"), Map.of("ce_time", "1969-12-31T23:58:59.999Z"));
        run.record(order("ada", 1, "2030-01-01T10:30:00Z"), Map.of(time, "yesterday", "ce_time", "0000-01-01T01:00:00+01:00"));
        run.record("{", Map.of(time, "0000-01-01T00:59:59+01:00"));
        run.record(order("ada", 1, "2030-01-01T10:30:00Z"), Map.of(addressee, "worker/a", time, "2016-12-31T23:59:60.5Z"));
        run.record("{", Map.of(addressee, "worker/a", time, "9999-12-31T23:59:59.999-00:00"));
        run.record(order("ada", 1, "2030-01-01T12:00:00Z"), Map.of(addressee, "flink/paid-only", time, "2016-12-31T23:59:60+01:00"));
        List<Row> rows = run.rowsOf(COUNTED);
        assertEquals(List.of(100L, 101L, 102L, 103L, 104L, 105L, 106L), column(rows, 0));
        assertEquals(
                List.of("processed", "filtered", "late", "dead-lettered", "not-addressed", "not-addressed", "processed"),
                column(rows, 1));
        assertEquals(
                List.of(
                        "2030-01-01T12:00:00Z",
                        "1969-12-31T23:58:59Z",
                        "0000-01-01T00:00:00Z",
                        "2030-01-02T23:59:59Z",
                        "2017-01-01T00:00:00Z",
                        "9999-12-31T23:59:59Z",
                        "2030-01-02T23:59:59Z"),
                column(rows, 2));
        assertEquals(List.of("key-2"), keys(run.writtenTo("late_events")));
        assertEquals(List.of("key-3"), keys(run.writtenTo("dead_letters")));
        assertEquals(List.of(2L), column(run.writtenTo("results"), 4));
    }

    @Test
    void keepsWhatIsMalformedByteForByteAndGoesOn() throws Exception {
        byte[] broken = {'{', (byte) 0xff, 0, '}'};
        PipelineInProcess run =
                orders("spend-per-customer", "{", order("ada", 1, "2030-01-01T10:00:00Z"))
                        .record(broken, Map.of("own", new byte[] {(byte) 0xfe}))
                        .record(order("ada", 2, "2030-01-01T09:59:00Z"), Map.of());
        List<Row> dead = run.writtenTo("dead_letters");
        assertEquals(List.of("key-0", "key-2"), keys(dead));
        assertArrayEquals(broken, dead.get(1).getFieldAs(1));
        assertArrayEquals(new byte[] {(byte) 0xfe}, dead.get(1).<Map<String, byte[]>>getFieldAs(2).get("own"));
        assertEquals(
                Map.of(
                        "own", "itself",
                        "millrace_dlq_by", "flink/spend-per-customer",
                        "millrace_dlq_reason", "malformed",
                        "millrace_dlq_detail", "the value is not JSON of its event type",
                        "millrace_origin_topic", "order.placed",
                        "millrace_origin_partition", "3",
                        "millrace_origin_offset", "100"),
                headers(dead.get(0)));
        assertEquals(List.of(2.0, 1.0), column(run.writtenTo("results"), 5));
    }

    @Test
    void takesTheTimeOfAnEventFromItsHeader() throws Exception {
        PipelineInProcess run = new PipelineInProcess(CompiledPipeline.read("time-from-header"));
        run.record("{\"page\":\"a/b ~é\",\"seconds\":1}", Map.of("ce_time", "2030-01-01T02:00:00+02:00"));
        run.record("{\"page\":\"a/b ~é\",\"seconds\":2}", Map.of("ce_time", "2030-01-01T00:00:59Z"));
        run.record("{\"page\":\"a/b ~é\"}", Map.of("ce_time", "2030-01-01T00:00:30Z"));
        run.record("{\"page\":\"late\"}", Map.of("ce_time", "soon"));
        run.record("{\"page\":\"late\"}", Map.of());
        List<Row> results = run.writtenTo("results");
        assertEquals(List.of(Instant.parse("2030-01-01T00:00:00Z")), column(results, 2));
        assertEquals(List.of(3L), column(results, 4));
        assertEquals(List.of(1.5), column(results, 5));
        assertEquals("a%2Fb+%7E%C3%A9/2030-01-01T00:00:00.000Z", headers(results.get(0)).get("ce_id"));
        List<Row> dead = run.writtenTo("dead_letters");
        assertEquals(List.of("key-3", "key-4"), keys(dead));
        assertEquals("the event has no time", headers(dead.get(0)).get("millrace_dlq_detail"));
    }

    @Test
    void hasWindowsBeforeTheEpoch() throws Exception {
        PipelineInProcess run =
                orders(
                        "late-dropped",
                        order("ada", 1, "0000-01-01T00:00:00Z"),
                        order("ada", 2, "0001-01-01T00:59:59.999Z"),
                        order("ada", 4, "1969-12-31T23:00:00Z"),
                        order("ada", 8, "1969-12-31T23:59:59.999Z"),
                        order("ada", 16, "1970-01-01T00:00:00Z"));
        List<Row> results = run.writtenTo("results");
        assertEquals(List.of(1.0, 2.0, 12.0, 16.0), column(results, 5));
        assertEquals(
                List.of(
                        "ada/0000-01-01T00:00:00.000Z",
                        "ada/0001-01-01T00:00:00.000Z",
                        "ada/1969-12-31T23:00:00.000Z",
                        "ada/1970-01-01T00:00:00.000Z"),
                results.stream().map(row -> headers(row).get("ce_id")).toList());
    }

    @Test
    void filtersByThreeValuedLogicAndTakesLiteralsAsTheyAre() throws Exception {
        PipelineInProcess run =
                orders(
                        "filtered",
                        order("passes", 1, "2030-01-01T00:00:00Z"),
                        order("d'Arc `ü` -- 東京", 1, "2030-01-01T00:00:00Z"),
                        order("too cheap", 0, "2030-01-01T00:00:00Z"),
                        order("too early", 1, "1969-07-20T20:17:40.499Z"),
                        order("unknown", 1, "2030-01-01T00:00:00Z").replace("}", ",\"coupon\":\"a\"}").replace("false", "true"),
                        order("shipped", 1, "2030-01-01T00:00:00Z")
                                .replace("}", ",\"coupon\":\"a\",\"shippedAt\":\"2030-01-02T00:00:00Z\"}"));
        assertEquals(List.of("shipped"), column(run.writtenTo("results"), 1));
    }

    @Test
    void computesEveryAggregateAndLeavesOutNulls() throws Exception {
        PipelineInProcess run =
                orders(
                        "every-aggregate",
                        "{\"customer\":\"ada\",\"amount\":1.5,\"items\":-7,\"gift\":true,\"at\":\"2030-01-01T00:00:00Z\"}",
                        "{\"customer\":\"ada\",\"amount\":-2,\"items\":2,\"gift\":true,\"at\":\"2030-01-01T00:59:59Z\"}");
        Instant start = Instant.parse("2030-01-01T00:00:00Z");
        Row result = run.writtenTo("results").get(0);
        List<Object> values = List.of("ada", true, start, start.plusSeconds(3_600), 2L, -0.5, -5L, -0.25, -2.5, -2.0, 1.5, -7L, 2L);
        for (int position = 0; position < values.size(); position++) {
            assertEquals(values.get(position), result.getField(position), "column " + position);
        }
        assertEquals("ada/true/2030-01-01T00:00:00.000Z", headers(result).get("ce_id"));
    }

    @Test
    void slidesWindowsOverWhatIsComputedAndSaysHowResultsCameAbout() throws Exception {
        PipelineInProcess run =
                orders(
                        "sliding-computed",
                        "{\"customer\":\"ada\",\"amount\":6,\"items\":2,\"gift\":true,\"coupon\":\"b\",\"at\":\"2030-01-01T10:20:00Z\"}",
                        "{\"customer\":\"ada\",\"amount\":1,\"items\":0,\"gift\":true,\"at\":\"2030-01-01T10:21:00Z\"}",
                        "{\"customer\":\"ada\",\"amount\":8,\"items\":4,\"gift\":true,\"coupon\":\"a\",\"at\":\"2030-01-01T10:10:00Z\"}",
                        // The window until 10:30 has closed when this one comes; it is in the three that have not.
                        "{\"customer\":\"eve\",\"amount\":9,\"items\":1,\"gift\":true,\"at\":\"2030-01-01T10:35:00Z\"}",
                        "{\"customer\":\"ada\",\"amount\":5,\"items\":1,\"gift\":true,\"coupon\":\"a\",\"at\":\"2030-01-01T10:12:00Z\"}",
                        "{\"customer\":\"eve\",\"amount\":9,\"items\":1,\"gift\":true,\"at\":\"2030-01-04T00:00:00Z\"}");
        Map<String, Row> ofAda =
                run.writtenTo("results").stream()
                        .filter(row -> "ada".equals(row.getField(1)))
                        .collect(Collectors.toMap(row -> row.getField(3).toString().substring(11, 16), row -> row));
        assertEquals(List.of("10:30", "10:45", "11:00", "11:15"), ofAda.keySet().stream().sorted().toList());
        assertEquals(List.of(2L, 3.0, 10L, 2L, 2.5, 4L, "b"), valuesFrom(ofAda.get("10:30"), 4, 11));
        assertEquals(List.of(3L, 5.0, 11L, 2L, 3.0, 4L, "b"), valuesFrom(ofAda.get("10:45"), 4, 11));
        assertEquals(List.of(1L, 3.0, 3L, 1L, 3.0, 2L, "b"), valuesFrom(ofAda.get("11:15"), 4, 11));
        Map<String, String> headers = headers(ofAda.get("10:45"));
        assertEquals("3 1 3:100-104", headers.get("ce_counted") + " " + headers.get("ce_filtered") + " " + headers.get("ce_offsets"));
        List<Row> late = run.writtenTo("late_events");
        assertEquals(List.of("key-2", "key-4"), keys(late));
        assertEquals(List.of("1", "2"), late.stream().map(row -> headers(row).get("millrace_missed_windows")).toList());
        assertEquals("2030-01-01T11:00:00.000Z", headers(late.get(0)).get("millrace_window_end"));
        assertEquals(List.of("key-5"), keys(run.writtenTo("dead_letters")));
        assertEquals("too-far-ahead", headers(run.writtenTo("dead_letters").get(0)).get("millrace_dlq_reason"));
    }

    @Test
    void revisesAResultWithEachEventThatIsLateWithinTheBound() throws Exception {
        PipelineInProcess run =
                orders(
                        "corrected",
                        order("ada", 1, "2030-01-01T10:00:00Z"),
                        order("ada", 2, "2030-01-01T11:05:00Z"),
                        order("ada", 4, "2030-01-01T10:30:00Z"),
                        order("ada", 8, "2030-01-01T10:59:59.999Z"),
                        order("ada", 16, "2030-01-01T13:05:00Z"),
                        order("ada", 32, "2030-01-01T10:30:00Z"));
        List<Row> ofFirst =
                run.writtenTo("results").stream()
                        .filter(row -> row.getField(2).equals(Instant.parse("2030-01-01T10:00:00Z")))
                        .toList();
        assertEquals(List.of(1.0, 5.0, 13.0), column(ofFirst, 5));
        String id = "ada/2030-01-01T10:00:00.000Z";
        assertEquals(
                List.of(id, id + "/2", id + "/3"), ofFirst.stream().map(row -> headers(row).get("ce_id")).toList());
        assertEquals(List.of("key-5"), keys(run.writtenTo("late_events")));
    }

    @Test
    void replacesAResultByAGreaterRevisionThoughTheJobFailsBetweenThem() throws Exception {
        List<Row> ofFirst =
                orders(
                                "corrected",
                                order("ada", 1, "2030-01-01T10:00:00Z"),
                                order("ada", 2, "2030-01-01T11:05:00Z"),
                                order("ada", 4, "2030-01-01T10:30:00Z"),
                                order("ada", 8, "2030-01-01T10:31:00Z"),
                                order("ada", 16, "2030-01-01T11:06:00Z"))
                        .failingOnceAt(2)
                        .writtenTo("results")
                        .stream()
                        .filter(row -> row.getField(2).equals(Instant.parse("2030-01-01T10:00:00Z")))
                        .toList();
        assertEquals(1.0, ofFirst.get(0).getField(5));
        Row last = ofFirst.get(ofFirst.size() - 1);
        assertEquals(13.0, last.getField(5));
        assertEquals("3", headers(last).get("ce_revision"));
    }

    @Test
    void endsASessionAfterAGapWithoutAnEventThatPasses() throws Exception {
        List<Row> results =
                orders(
                                "sessions",
                                order("ada", 1, "2030-01-01T10:00:00Z"),
                                order("ada", 0, "2030-01-01T10:20:00Z"),
                                order("ada", 1, "2030-01-01T10:30:00Z"),
                                order("ada", 1, "2030-01-01T11:00:00.001Z"))
                        .writtenTo("results");
        assertEquals(List.of("2030-01-01T11:00:00Z", "2030-01-01T11:30:00.001Z"), results.stream().map(row -> row.getField(3).toString()).toList());
        assertEquals(List.of(2L, 1L), column(results, 4));
    }

    private static List<Object> valuesFrom(Row row, int first, int end) {
        return IntStream.range(first, end).mapToObj(row::getField).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "key-integer, '\"items\":-12', -12, -12",
        "key-boolean, '\"gift\":true', true, true",
        "key-timestamp, '\"shippedAt\":\"2030-01-01T02:00:00.5+02:00\"', 2030-01-01T00:00:00.500Z, 2030-01-01T00%3A00%3A00.500Z",
        "key-nullable, '\"coupon\":\"~/é\"', ~/é, %7E%2F%C3%A9",
    })
    void writesTheGroupAsTheKey(String pipeline, String field, String key, String id) throws Exception {
        String value = order("ada", 1, "2030-01-01T00:00:00Z").replace("}", "," + field + "}");
        Row result = orders(pipeline, value).writtenTo("results").get(0);
        assertEquals(key, text(result.getField(0)));
        assertEquals(id + "/2030-01-01T00:00:00.000Z", headers(result).get("ce_id"));
    }

    @Test
    void tellsNoGroupFromAnEmptyOne() throws Exception {
        String order = order("ada", 1, "2030-01-01T00:00:00Z");
        PipelineInProcess run =
                orders("key-nullable", order, order.replace("}", ",\"coupon\":\"\"}"), order.replace("}", ",\"coupon\":null}"));
        Map<String, Object> orders =
                run.writtenTo("results").stream()
                        .collect(Collectors.toMap(row -> text(row.getField(0)) + " " + headers(row).get("ce_id"), row -> row.getField(4)));
        assertEquals(Map.of("null ~/2030-01-01T00:00:00.000Z", 2L, " /2030-01-01T00:00:00.000Z", 1L), orders);
    }

    @Test
    void tellsEachRowTheWatermarkBeforeIt() throws Exception {
        List<Row> rows =
                orders(
                                "spend-per-customer",
                                order("ada", 1, "2030-01-01T12:00:00Z"),
                                order("ada", 1, "2030-01-01T12:00:00Z"),
                                order("ada", 1, "2030-01-01T03:00:00Z"),
                                "{",
                                order("ada", 1, "2030-01-01T12:00:00.001Z"),
                                order("ada", 1, "2030-01-01T13:00:00Z"))
                        .rowsOf("SELECT `record_offset`, `watermark` FROM `timed`");
        Instant noon = Instant.parse("2030-01-01T11:55:00Z");
        assertEquals(List.of(100L, 101L, 102L, 103L, 104L, 105L), column(rows, 0));
        assertEquals(Arrays.asList(null, noon, noon, noon, noon, noon.plusMillis(1)), column(rows, 1));
    }

    private static PipelineInProcess orders(String pipeline, String... values) throws Exception {
        PipelineInProcess run = new PipelineInProcess(CompiledPipeline.read(pipeline));
        for (String value : values) {
            run.record(value, Map.of("own", "itself"));
        }
        return run;
    }

    private static String order(String customer, int amount, String at) {
        return "{\"customer\":\"%s\",\"amount\":%d,\"items\":2,\"gift\":false,\"at\":\"%s\"}".formatted(customer, amount, at);
    }

    private static List<String> keys(List<Row> rows) {
        return rows.stream().map(row -> text(row.getField(0))).toList();
    }

    private static List<Object> column(List<Row> rows, int position) {
        return rows.stream().map(row -> row.getField(position)).collect(Collectors.toList());
    }

    private static Map<String, String> headers(Row row) {
        Map<String, byte[]> headers = row.getFieldAs(row.getArity() - 1);
        return headers.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> text(entry.getValue())));
    }

    private static String text(Object bytes) {
        return bytes == null ? null : new String((byte[]) bytes, StandardCharsets.UTF_8);
    }
}
