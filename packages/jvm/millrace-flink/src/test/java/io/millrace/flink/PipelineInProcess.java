package io.millrace.flink;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Runs the compiled SQL of a pipeline in this JVM over the records of a test, one partition of them: only Kafka is replaced. */
final class PipelineInProcess {

    private static final TypeInformation<byte[]> BYTES = PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;

    /** When the brokers stored the records. */
    static final Instant STORED = Instant.parse("2030-01-02T23:59:59.999Z");

    private final CompiledPipeline pipeline;
    private final List<Row> records = new ArrayList<>();
    private int failsAt = -1;

    PipelineInProcess(CompiledPipeline pipeline) {
        this.pipeline = pipeline;
    }

    PipelineInProcess record(String value, Map<String, String> headers) {
        Map<String, byte[]> bytes = new HashMap<>();
        headers.forEach((name, text) -> bytes.put(name, text.getBytes(StandardCharsets.UTF_8)));
        return record(value.getBytes(StandardCharsets.UTF_8), bytes);
    }

    PipelineInProcess record(byte[] value, Map<String, byte[]> headers) {
        byte[] key = ("key-" + records.size()).getBytes(StandardCharsets.UTF_8);
        org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header[] all =
                headers.entrySet().stream()
                        .map(header -> new RecordHeader(header.getKey(), header.getValue()))
                        .toArray(org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header[]::new);
        records.add(Row.of(key, value, PackedHeaders.pack(all), 3, 100L + records.size(), STORED));
        return this;
    }

    /** Lets the job fail once at this record, after a checkpoint that contains all records before it. */
    PipelineInProcess failingOnceAt(int record) {
        failsAt = record;
        return this;
    }

    /** The rows that the pipeline writes to a table, after the last record and the end of all windows. */
    List<Row> writtenTo(String table) throws Exception {
        return rowsOf(pipeline.query(table));
    }

    /** The rows of a query over the pipeline's views. */
    List<Row> rowsOf(String query) throws Exception {
        StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment(configuration());
        StreamTableEnvironment tables = StreamTableEnvironment.create(streams);
        for (String definition : pipeline.definitions()) {
            if (definition.startsWith("CREATE TEMPORARY TABLE `records`")) {
                tables.createTemporaryView("records", source(streams), schema());
            } else if (!definition.startsWith("CREATE TEMPORARY TABLE")) {
                tables.executeSql(withoutSourceWatermark(definition));
            }
        }
        List<Row> rows = new ArrayList<>();
        try (CloseableIterator<Row> results = tables.executeSql(query).collect()) {
            results.forEachRemaining(rows::add);
        }
        return rows;
    }

    /**
     * A view as it would be if several instances read the records: a stream has no field that says its watermark. That field is held against the
     * evaluator by the differential tests, and against kills by those with the brokers.
     */
    private static String withoutSourceWatermark(String definition) {
        return definition
                .replace("  `watermark`,\n", "")
                .replace(
                        "VIEW `timed` AS SELECT * FROM `decoded`",
                        "VIEW `timed` AS SELECT * FROM WITH_WATERMARK(`input` => TABLE `decoded`, `on_time` => DESCRIPTOR(`rowtime`))");
    }

    private Configuration configuration() {
        Configuration configuration = new Configuration();
        pipeline.settings().forEach(configuration::setString);
        configuration.removeKey("execution.checkpointing.dir");
        if (failsAt < 0) {
            configuration.removeKey("execution.checkpointing.interval");
        }
        // With every event, as the connector is told to.
        configuration.setString("pipeline.auto-watermark-interval", "0 ms");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.delay", "10 ms");
        return configuration;
    }

    private DataStream<Row> source(StreamExecutionEnvironment streams) {
        String[] names = {"record_key", "record_value", "record_headers", "record_partition", "record_offset", "record_timestamp"};
        TypeInformation<?>[] types = {BYTES, BYTES, BYTES, Types.INT, Types.LONG, Types.INSTANT};
        TypeInformation<Row> type = Types.ROW_NAMED(names, types);
        if (failsAt < 0) {
            return streams.fromData(records, type);
        }
        List<Row> rows = List.copyOf(records);
        RateLimiterStrategy oneEachCheckpoint = RateLimiterStrategy.perCheckpoint(1);
        DataGeneratorSource<Row> source =
                new DataGeneratorSource<>(index -> rows.get(index.intValue()), rows.size(), oneEachCheckpoint, type);
        return streams.fromSource(source, WatermarkStrategy.noWatermarks(), "records", type)
                .map(new FailOnce(records.get(failsAt).getFieldAs(4)))
                .returns(type);
    }

    private static final class FailOnce implements MapFunction<Row, Row> {

        private static final Set<UUID> FAILED = ConcurrentHashMap.newKeySet();

        private final UUID id = UUID.randomUUID();
        private final long offset;

        FailOnce(long offset) {
            this.offset = offset;
        }

        @Override
        public Row map(Row row) {
            if (row.getFieldAs(4).equals(offset) && FAILED.add(id)) {
                throw new IllegalStateException("fails once");
            }
            return row;
        }
    }

    private Schema schema() {
        return Schema.newBuilder()
                .column("record_key", DataTypes.BYTES())
                .column("record_value", DataTypes.BYTES())
                .column("record_headers", DataTypes.BYTES())
                .column("record_partition", DataTypes.INT())
                .column("record_offset", DataTypes.BIGINT())
                .column("record_timestamp", DataTypes.TIMESTAMP_LTZ(3))
                .columnByExpression("rowtime", pipeline.recordsColumn("`rowtime`"))
                .watermark("rowtime", pipeline.recordsColumn("WATERMARK FOR `rowtime`"))
                .build();
    }
}
