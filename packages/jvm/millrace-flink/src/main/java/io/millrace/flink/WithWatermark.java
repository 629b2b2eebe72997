package io.millrace.flink;

import static org.apache.flink.table.annotation.ArgumentTrait.OPTIONAL_PARTITION_BY;
import static org.apache.flink.table.annotation.ArgumentTrait.REQUIRE_ON_TIME;
import static org.apache.flink.table.annotation.ArgumentTrait.SET_SEMANTIC_TABLE;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.TypeInference;

/**
 * {@code WITH_WATERMARK(input => TABLE t, on_time => DESCRIPTOR(rowtime))}: every row of {@code t} and, as {@code watermark}, how
 * far event time had come when the row arrived (NULL: nowhere yet).
 *
 * <p>Why: Flink drops a row that is too late for its window and only counts it. To keep such rows, the job must know beforehand
 * which rows those are. CURRENT_WATERMARK knows only what came since the job started, while the window operator restores its
 * watermark from the checkpoint: after each recovery, rows would be lost between the two. This function keeps the watermark in its
 * state, too. It has one instance, from which the windows get all their rows and watermarks, so both always agree.
 *
 * <p>Rows are Flink's own ({@link RowData}), and what comes in goes out within what is added to it: as {@code Row} every record would be
 * taken apart and put together again, with its map of headers.
 */
@FunctionHint(output = @DataTypeHint(value = "ROW<watermark TIMESTAMP_LTZ(3)>", bridgedTo = RowData.class))
public final class WithWatermark extends ProcessTableFunction<RowData> implements SpecializedFunction {

    private final boolean isSpecialized;

    /** As SQL registers it: the planner asks for the arguments as they are declared. */
    public WithWatermark() {
        this(false);
    }

    private WithWatermark(boolean isSpecialized) {
        this.isSpecialized = isSpecialized;
    }

    @Override
    public UserDefinedFunction specialize(SpecializedContext context) {
        return new WithWatermark(true);
    }

    /** What a checkpoint keeps. */
    public static class Progress {
        public Long watermark;
    }

    public void eval(
            Context context,
            @StateHint Progress progress,
            @ArgumentHint({SET_SEMANTIC_TABLE, OPTIONAL_PARTITION_BY, REQUIRE_ON_TIME}) RowData input) {
        collect(withWatermark(context, progress, input, new GenericRowData(1)));
    }

    public void onTimer(OnTimerContext context, Progress progress) {
        advance(context, progress);
    }

    /** The row, and after its fields those that are added, the first of which becomes the watermark before it. */
    static RowData withWatermark(Context context, Progress progress, RowData input, GenericRowData added) {
        if (progress.watermark == null) {
            progress.watermark = Long.MIN_VALUE;
            context.timeContext(Long.class).registerOnTime(Long.MIN_VALUE + 1);
        }
        if (progress.watermark != Long.MIN_VALUE) {
            added.setField(0, TimestampData.fromEpochMillis(progress.watermark));
        }
        return new JoinedRowData(input.getRowKind(), input, added);
    }

    /** The timer always stands one millisecond ahead, so it runs whenever the watermark advances, and before the windows see it. */
    static void advance(OnTimerContext context, Progress progress) {
        TimeContext<Long> time = context.timeContext(Long.class);
        progress.watermark = time.currentWatermark();
        if (progress.watermark < Long.MAX_VALUE) {
            time.registerOnTime(progress.watermark + 1);
        }
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TablesInFlinksRows.inference(
                super.getTypeInference(types), isSpecialized, call -> outputType(call, List.of()));
    }

    /** The fields of the input, the watermark and these. */
    static Optional<DataType> outputType(CallContext call, List<DataTypes.Field> more) {
        DataType input = call.getTableSemantics(0).orElseThrow().dataType();
        List<DataTypes.Field> fields = new ArrayList<>();
        for (DataTypes.Field field : DataType.getFields(input)) {
            fields.add(field);
        }
        fields.add(DataTypes.FIELD("watermark", DataTypes.TIMESTAMP_LTZ(3)));
        fields.addAll(more);
        return Optional.of(DataTypes.ROW(fields).notNull().bridgedTo(RowData.class));
    }
}
