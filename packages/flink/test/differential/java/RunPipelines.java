package io.millrace.flink;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
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
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs the SQL of pipelines over records in this JVM: only Kafka is replaced. Each line that it reads names a file of JSON, bytes in base64:
 * {@code {settings, cases: [{settings, definitions, query, partitions, given: [{partition, offset, timestampMs, value, headers}]}]}}; what is given without
 * headers is an idle partition. Those of a file run in one job. For each row of a query it prints a line {@code {case, row}}, for a job that
 * fails {@code {failure}}, and at the end of each an empty one.
 */
public final class RunPipelines {

    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader files = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String file = files.readLine(); file != null; file = files.readLine()) {
            try {
                run(JSON.readTree(new File(file)), out);
            } catch (Exception failure) {
                failure.printStackTrace();
                out.println(JSON.writeValueAsString(Map.of("failure", String.valueOf(failure))));
            }
            out.println();
            out.flush();
        }
    }

    private static void run(JsonNode input, PrintStream out) throws Exception {
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
            pipeline.get("settings").properties().forEach(setting -> tables.getConfig().set(setting.getKey(), setting.getValue().asText()));
            for (JsonNode definition : pipeline.get("definitions")) {
                tables.executeSql(definition.asText());
            }
            outputs.add(tables.toDataStream(tables.sqlQuery(pipeline.get("query").asText())).collectAsync());
        }
        streams.executeAsync();
        for (int pipeline = 0; pipeline < outputs.size(); pipeline++) {
            try (CloseableIterator<Row> rows = outputs.get(pipeline)) {
                while (rows.hasNext()) {
                    out.println(JSON.writeValueAsString(Map.of("case", pipeline, "row", plain(rows.next()))));
                }
            }
        }
    }

    private static GivenRecords.Topic topic(JsonNode pipeline) throws Exception {
        List<GivenRecords.Given> given = new ArrayList<>();
        for (JsonNode one : pipeline.get("given")) {
            RowData record = one.has("headers") ? record(one) : null;
            given.add(new GivenRecords.Given(one.get("partition").asInt(), record));
        }
        return new GivenRecords.Topic(pipeline.get("partitions").asInt(), given);
    }

    /** As the columns of a pipeline's source are, with room for the watermark. */
    private static RowData record(JsonNode record) throws Exception {
        byte[] value = record.get("value").isNull() ? null : record.get("value").binaryValue();
        int partition = record.get("partition").asInt();
        long offset = record.get("offset").asLong();
        return GenericRowData.of(
                new byte[0],
                value,
                record.get("headers").binaryValue(),
                partition,
                offset,
                TimestampData.fromEpochMillis(record.get("timestampMs").asLong()),
                null);
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
            } else if (value instanceof Map<?, ?> headers) {
                Map<String, String> texts = new HashMap<>();
                headers.forEach((name, bytes) -> texts.put((String) name, new String((byte[]) bytes, StandardCharsets.UTF_8)));
                values.add(texts);
            } else {
                values.add(value);
            }
        }
        return values;
    }
}
