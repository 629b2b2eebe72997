package io.millrace.flink;

import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.util.Collector;

/**
 * {@code 'connector' = 'millrace-records'}: the records of a topic from its beginning, as {@code (key BYTES, value BYTES, headers BYTES,
 * partition INT, offset BIGINT, timestamp TIMESTAMP_LTZ(3))}, read by the Kafka connector's source with its options {@code topic} and
 * {@code properties.*}. A seventh field, {@code watermark TIMESTAMP_LTZ(3)}, is how far event time had come when the record was read; only where
 * one instance reads all partitions is it that of the whole topic.
 *
 * <p>Why: the connector's own table makes a map of the headers of each record, in Flink's strings, which costs more than the decoding of its
 * value. Here they are {@link PackedHeaders}.
 */
public final class RecordsTable implements DynamicTableSourceFactory {

    private static final ConfigOption<String> TOPIC = ConfigOptions.key("topic").stringType().noDefaultValue();
    private static final String PROPERTIES = "properties.";
    private static final int FIELDS = 6;

    @Override
    public String factoryIdentifier() {
        return "millrace-records";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(TOPIC);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validateExcept(PROPERTIES);
        Properties properties = new Properties();
        for (Map.Entry<String, String> option : context.getCatalogTable().getOptions().entrySet()) {
            if (option.getKey().startsWith(PROPERTIES)) {
                properties.put(option.getKey().substring(PROPERTIES.length()), option.getValue());
            }
        }
        String topic = helper.getOptions().get(TOPIC);
        DataType type = context.getPhysicalRowDataType();
        int fields = DataType.getFieldCount(type);
        return new Records(topic, row -> kafkaSource(topic, properties, new Rows(row, fields)), type);
    }

    private static KafkaSource<RowData> kafkaSource(String topic, Properties properties, Rows rows) {
        return KafkaSource.<RowData>builder()
                .setTopics(topic)
                .setProperties(properties)
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(rows)
                .build();
    }

    /** The records of any source, and the watermark before each where their type has a field for it. */
    static final class Records implements ScanTableSource, SupportsWatermarkPushDown {

        private final String topic;
        private final Function<TypeInformation<RowData>, Source<RowData, ?, ?>> source;
        private final DataType type;
        private WatermarkStrategy<RowData> watermarks = WatermarkStrategy.noWatermarks();

        Records(String topic, Function<TypeInformation<RowData>, Source<RowData, ?, ?>> source, DataType type) {
            this.topic = topic;
            this.source = source;
            this.type = type;
        }

        @Override
        public void applyWatermark(WatermarkStrategy<RowData> strategy) {
            watermarks = strategy;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return ChangelogMode.insertOnly();
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            TypeInformation<RowData> row = context.createTypeInformation(type);
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(ProviderContext provider, StreamExecutionEnvironment streams) {
                    DataStream<RowData> records = streams.fromSource(source.apply(row), watermarks, topic, row);
                    return DataType.getFieldCount(type) > FIELDS
                            ? records.transform("note watermark", row, new NoteWatermark())
                            : records;
                }

                @Override
                public boolean isBounded() {
                    return false;
                }
            };
        }

        @Override
        public DynamicTableSource copy() {
            Records copy = new Records(topic, source, type);
            copy.watermarks = watermarks;
            return copy;
        }

        @Override
        public String asSummaryString() {
            return "records of " + topic;
        }
    }

    /** A record's row, whose arrays are the record's own. */
    private record Rows(TypeInformation<RowData> type, int fields) implements KafkaRecordDeserializationSchema<RowData> {

        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<RowData> rows) {
            GenericRowData row = new GenericRowData(fields);
            row.setField(0, record.key());
            row.setField(1, record.value());
            row.setField(2, PackedHeaders.pack(record.headers().toArray()));
            row.setField(3, record.partition());
            row.setField(4, record.offset());
            row.setField(5, TimestampData.fromEpochMillis(record.timestamp()));
            rows.collect(row);
        }

        @Override
        public TypeInformation<RowData> getProducedType() {
            return type;
        }
    }
}
