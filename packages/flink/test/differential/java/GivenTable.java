package io.millrace.flink;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/** {@code 'connector' = 'given'}: {@link GivenRecords} in the place of Kafka's, and else the table that pipelines read. */
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
        String topic = helper.getOptions().get(TOPIC);
        return new RecordsTable.Records(topic, row -> new GivenRecords(topic), context.getPhysicalRowDataType());
    }
}
