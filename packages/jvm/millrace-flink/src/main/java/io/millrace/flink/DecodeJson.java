package io.millrace.flink;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.utils.TypeConversions;

/**
 * {@code DECODE_JSON(value BYTES, type STRING literal) → ROW}: the record's value as a row of the type that the literal names, or
 * NULL for whatever does not fit it. Never throws for a record.
 *
 * <p>Why: Flink's json format either stops the job at a malformed record or drops it in silence, and its raw STRING format
 * replaces invalid bytes. A malformed record has to keep its bytes for the dead letter topic while its neighbours go on.
 *
 * <p>The planner calls it once for every field and every branch of the job, all in one thread and with one array of bytes, so the
 * thread's last row of each type is kept: a record is decoded once, and so is what is joined to it.
 */
public final class DecodeJson extends ScalarFunction implements SpecializedFunction {

    private static final ThreadLocal<Map<String, Decoded>> LAST = ThreadLocal.withInitial(HashMap::new);

    private final String type;
    private final JsonRowDecoder decoder;
    /** Of the thread that this instance belongs to. */
    private transient Decoded last;

    /** As SQL registers it: it decodes nothing until {@link #specialize} has given it its type. */
    public DecodeJson() {
        this(null, null);
    }

    private DecodeJson(String type, JsonRowDecoder decoder) {
        this.type = type;
        this.decoder = decoder;
    }

    public RowData eval(byte[] value, String ignored) {
        if (last == null) {
            last = LAST.get().computeIfAbsent(type, ignoredType -> new Decoded());
        }
        if (last.value != value || value == null) {
            last.row = decoder.decode(value);
            last.value = value;
        }
        return last.row;
    }

    @Override
    public UserDefinedFunction specialize(SpecializedContext context) {
        RowType row = declaredType(context.getCallContext()).orElseThrow();
        return new DecodeJson(row.asSerializableString(), new JsonRowDecoder(row));
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(
                        InputTypeStrategies.sequence(
                                InputTypeStrategies.logical(LogicalTypeRoot.VARBINARY),
                                InputTypeStrategies.and(
                                        InputTypeStrategies.LITERAL, InputTypeStrategies.logical(LogicalTypeRoot.CHAR))))
                .outputTypeStrategy(DecodeJson::outputType)
                .build();
    }

    private static Optional<RowType> declaredType(CallContext call) {
        return call.getArgumentValue(1, String.class)
                .map(
                        text -> {
                            LogicalType type = call.getDataTypeFactory().createDataType(text).getLogicalType();
                            if (type instanceof RowType row) {
                                return row;
                            }
                            throw new ValidationException("DECODE_JSON needs a ROW type, not " + text);
                        });
    }

    /**
     * The declared type with every field nullable, as the row is. The planner takes a NOT NULL field of a NULL row for NOT NULL, too, and
     * would leave out the COALESCE and IS NULL around it.
     */
    private static Optional<DataType> outputType(CallContext call) {
        return declaredType(call)
                .map(
                        row -> {
                            List<DataTypes.Field> fields = new ArrayList<>();
                            for (RowType.RowField field : row.getFields()) {
                                DataType type = TypeConversions.fromLogicalToDataType(field.getType());
                                fields.add(DataTypes.FIELD(field.getName(), type.nullable()));
                            }
                            return DataTypes.ROW(fields).nullable().bridgedTo(RowData.class);
                        });
    }

    private static final class Decoded {
        private byte[] value;
        private RowData row;
    }
}
