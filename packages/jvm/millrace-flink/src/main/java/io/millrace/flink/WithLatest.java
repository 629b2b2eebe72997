package io.millrace.flink;

import static org.apache.flink.table.annotation.ArgumentTrait.OPTIONAL_PARTITION_BY;
import static org.apache.flink.table.annotation.ArgumentTrait.REQUIRE_ON_TIME;
import static org.apache.flink.table.annotation.ArgumentTrait.SET_SEMANTIC_TABLE;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.inference.TypeInference;

/**
 * {@code WITH_LATEST(input => TABLE t, topics => 'a,b', consumer => 'properties', on_time => DESCRIPTOR(rowtime))}: every row of
 * {@code t} with its {@code watermark}, as WITH_WATERMARK gives it, and for each topic, as {@code table_0_value} and so on, the value
 * that the topic has now for the key in the row's {@code table_0_key} (NULL: none).
 *
 * <p>Why: Flink's temporal join holds every row back until event time has passed it, so what comes last would never be accounted for,
 * and its lookup join has no connector for a topic. This one reads the topics as a whole before the first row, as a global table of
 * Kafka Streams does, follows them from then on, and gives the rows in the order in which they come.
 */
@FunctionHint(output = @DataTypeHint(value = "ROW<watermark TIMESTAMP_LTZ(3)>", bridgedTo = RowData.class))
public final class WithLatest extends ProcessTableFunction<RowData> implements SpecializedFunction {

    private final boolean isSpecialized;
    private transient List<LatestValues> tables;

    /** As SQL registers it: the planner asks for the arguments as they are declared. */
    public WithLatest() {
        this(false);
    }

    private WithLatest(boolean isSpecialized) {
        this.isSpecialized = isSpecialized;
    }

    @Override
    public UserDefinedFunction specialize(SpecializedContext context) {
        return new WithLatest(true);
    }

    public void eval(
            Context context,
            @StateHint WithWatermark.Progress progress,
            @ArgumentHint({SET_SEMANTIC_TABLE, OPTIONAL_PARTITION_BY, REQUIRE_ON_TIME}) RowData input,
            String topics,
            String consumer)
            throws Exception {
        if (tables == null) {
            tables = open(topics, consumer);
        }
        int first = input.getArity() - tables.size();
        GenericRowData added = new GenericRowData(1 + tables.size());
        for (int table = 0; table < tables.size(); table++) {
            int field = first + table;
            added.setField(1 + table, input.isNullAt(field) ? null : tables.get(table).get(input.getBinary(field)));
        }
        collect(WithWatermark.withWatermark(context, progress, input, added));
    }

    public void onTimer(OnTimerContext context, WithWatermark.Progress progress) {
        WithWatermark.advance(context, progress);
    }

    @Override
    public void close() {
        if (tables != null) {
            tables.forEach(LatestValues::close);
        }
    }

    private static List<LatestValues> open(String topics, String consumer) throws Exception {
        Properties properties = new Properties();
        properties.load(new StringReader(consumer));
        List<LatestValues> tables = new ArrayList<>();
        try {
            for (String topic : topics.split(",")) {
                tables.add(new LatestValues(topic, properties));
            }
            for (LatestValues table : tables) {
                table.awaitAll();
            }
            return tables;
        } catch (Exception failure) {
            tables.forEach(LatestValues::close);
            throw failure;
        }
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TablesInFlinksRows.inference(super.getTypeInference(types), isSpecialized, call -> {
            int tables = call.getArgumentValue(1, String.class).orElseThrow().split(",").length;
            List<DataTypes.Field> values = new ArrayList<>();
            for (int table = 0; table < tables; table++) {
                values.add(DataTypes.FIELD("table_" + table + "_value", DataTypes.BYTES()));
            }
            return WithWatermark.outputType(call, values);
        });
    }
}
