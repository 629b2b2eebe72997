package io.millrace.flink;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.catalog.CatalogTable;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DataStreamSinkProvider;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;

/**
 * {@code 'connector' = 'millrace-accounts'}: takes a row for each record, {@code (partition INT, offset BIGINT, outcome STRING, time
 * TIMESTAMP_LTZ(3))}, and writes accounts of them with the Kafka connector, whose options are its own beside {@code reader} and {@code of}.
 *
 * <p>Why: in SQL this is a window, to which every record goes by itself through a network buffer and the state of the job. Here
 * {@link CountOutcomes} counts where the record is judged, and what goes on is one row a partition and checkpoint.
 */
public final class AccountsTable implements DynamicTableSinkFactory {

    private static final ConfigOption<String> READER =
            ConfigOptions.key("reader").stringType().noDefaultValue().withDescription("Who is done with the records.");
    private static final ConfigOption<String> OF =
            ConfigOptions.key("of").stringType().noDefaultValue().withDescription("The topic of the records.");

    /** What a reader of accounts finds in a record. */
    static final DataType ACCOUNT =
            DataTypes.ROW(
                    DataTypes.FIELD("record_key", DataTypes.BYTES()),
                    DataTypes.FIELD("reader", DataTypes.STRING()),
                    DataTypes.FIELD("topic", DataTypes.STRING()),
                    DataTypes.FIELD("partition", DataTypes.INT()),
                    DataTypes.FIELD("from", DataTypes.BIGINT()),
                    DataTypes.FIELD("through", DataTypes.BIGINT()),
                    DataTypes.FIELD("beyond", DataTypes.BIGINT()),
                    DataTypes.FIELD(
                            "counts",
                            DataTypes.ARRAY(
                                    DataTypes.ROW(
                                            DataTypes.FIELD("minute", DataTypes.STRING()),
                                            DataTypes.FIELD("outcome", DataTypes.STRING()),
                                            DataTypes.FIELD("events", DataTypes.BIGINT())))));

    @Override
    public String factoryIdentifier() {
        return "millrace-accounts";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(READER, OF);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        Map<String, String> options = new HashMap<>(context.getCatalogTable().getOptions());
        String reader = options.remove(READER.key());
        String of = options.remove(OF.key());
        options.put(FactoryUtil.CONNECTOR.key(), "kafka");
        ResolvedSchema schema =
                ResolvedSchema.of(
                        DataType.getFields(ACCOUNT).stream()
                                .map(field -> (Column) Column.physical(field.getName(), field.getDataType()))
                                .toList());
        CatalogTable table =
                CatalogTable.newBuilder()
                        .schema(Schema.newBuilder().fromResolvedSchema(schema).build())
                        .options(options)
                        .build();
        DynamicTableSink kafka =
                FactoryUtil.createDynamicTableSink(
                        null,
                        context.getObjectIdentifier(),
                        new ResolvedCatalogTable(table, schema),
                        Map.of(),
                        context.getConfiguration(),
                        context.getClassLoader(),
                        context.isTemporary());
        return new Accounts(kafka, reader, of);
    }

    private record Accounts(DynamicTableSink kafka, String reader, String of) implements DynamicTableSink {

        @Override
        public ChangelogMode getChangelogMode(ChangelogMode requested) {
            return ChangelogMode.insertOnly();
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
            SinkV2Provider provider = (SinkV2Provider) kafka.getSinkRuntimeProvider(context);
            TypeInformation<RowData> account = context.createTypeInformation(ACCOUNT);
            // Counted in the task that judges; written in another, for at each checkpoint the writer waits for the brokers.
            return (DataStreamSinkProvider) (ignored, judged) ->
                    judged.transform("count outcomes", account, new CountOutcomes(reader, of))
                            .setParallelism(judged.getParallelism())
                            .global()
                            .sinkTo(provider.createSink())
                            .setParallelism(1);
        }

        @Override
        public DynamicTableSink copy() {
            return new Accounts(kafka.copy(), reader, of);
        }

        @Override
        public String asSummaryString() {
            return "accounts in Kafka";
        }
    }
}
