package io.millrace.flink;

import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;

/** {@code 'connector' = 'given'}: a table of {@link GivenRecords}, with watermarks in the source as the Kafka connector has them. */
public final class GivenTable implements DynamicTableSourceFactory {

    private static final ConfigOption<String> TOPIC = ConfigOptions.key("topic").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "given";
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
        helper.validate();
        return new Table(helper.getOptions().get(TOPIC), context.getPhysicalRowDataType());
    }

    private static final class Table implements ScanTableSource, SupportsWatermarkPushDown {

        private final String topic;
        private final DataType type;
        private WatermarkStrategy<RowData> watermarks = WatermarkStrategy.noWatermarks();

        Table(String topic, DataType type) {
            this.topic = topic;
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
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(ProviderContext provider, StreamExecutionEnvironment streams) {
                    TypeInformation<RowData> row = InternalTypeInfo.of(type.getLogicalType());
                    DataStream<RowData> records = streams.fromSource(new GivenRecords(topic), watermarks, topic, row);
                    return RecordsTable.withWatermark(records, type);
                }

                @Override
                public boolean isBounded() {
                    // Else the planner would have no job that goes on.
                    return false;
                }
            };
        }

        @Override
        public DynamicTableSource copy() {
            Table copy = new Table(topic, type);
            copy.watermarks = watermarks;
            return copy;
        }

        @Override
        public String asSummaryString() {
            return "given";
        }
    }
}
