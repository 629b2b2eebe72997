import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs the SQL of pipelines over records in this JVM, all of them in one job: only Kafka is replaced. {@code args[0]} is a file of JSON,
 * bytes in base64: {@code {settings, cases: [{definitions, query, partitions, given: [{partition, value, headers}]}]}}; what is given
 * without headers is an idle partition. For each row of a query it prints a line {@code {case, row}}.
 */
public final class RunPipelines {

    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        JsonNode input = JSON.readTree(new File(args[0]));
        Configuration configuration = new Configuration();
        input.get("settings").properties().forEach(setting -> configuration.setString(setting.getKey(), setting.getValue().asText()));
        StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        StreamTableEnvironment tables = StreamTableEnvironment.create(streams);
        List<CloseableIterator<Row>> outputs = new ArrayList<>();
        for (JsonNode pipeline : input.get("cases")) {
            String name = "case-" + outputs.size();
            GivenRecords.TOPICS.put(name, topic(pipeline));
            tables.executeSql("CREATE DATABASE `" + name + "`");
            tables.useDatabase(name);
            for (JsonNode definition : pipeline.get("definitions")) {
                tables.executeSql(definition.asText());
            }
            outputs.add(tables.toDataStream(tables.sqlQuery(pipeline.get("query").asText())).collectAsync());
        }
        streams.executeAsync();
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (int pipeline = 0; pipeline < outputs.size(); pipeline++) {
            try (CloseableIterator<Row> rows = outputs.get(pipeline)) {
                while (rows.hasNext()) {
                    out.println(JSON.writeValueAsString(Map.of("case", pipeline, "row", plain(rows.next()))));
                }
            }
        }
        out.flush();
    }

    private static GivenRecords.Topic topic(JsonNode pipeline) throws Exception {
        List<GivenRecords.Given> given = new ArrayList<>();
        for (JsonNode one : pipeline.get("given")) {
            RowData record = one.has("headers") ? record(one, given.size()) : null;
            given.add(new GivenRecords.Given(one.get("partition").asInt(), record));
        }
        return new GivenRecords.Topic(pipeline.get("partitions").asInt(), given);
    }

    /** As the columns of a pipeline's source are. Offsets count what is given, so that they tell records apart. */
    private static RowData record(JsonNode record, int offset) throws Exception {
        Map<StringData, byte[]> headers = new HashMap<>();
        for (Map.Entry<String, JsonNode> header : record.get("headers").properties()) {
            headers.put(StringData.fromString(header.getKey()), header.getValue().binaryValue());
        }
        byte[] value = record.get("value").isNull() ? null : record.get("value").binaryValue();
        int partition = record.get("partition").asInt();
        return GenericRowData.of(
                new byte[0], value, new GenericMapData(headers), partition, (long) offset, TimestampData.fromEpochMillis(0));
    }

    /** 64-bit integers and doubles as text, which JSON's readers leave as it is; times in milliseconds. */
    private static List<Object> plain(Row row) {
        List<Object> values = new ArrayList<>();
        for (int position = 0; position < row.getArity(); position++) {
            Object value = row.getField(position);
            if (value instanceof Long || value instanceof Double) {
                values.add(value.toString());
            } else if (value instanceof Instant time) {
                values.add(time.toEpochMilli());
            } else {
                values.add(value);
            }
        }
        return values;
    }
}
