package io.millrace.flink;

import java.time.Instant;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.types.Row;

/**
 * The value of the record that stands at one end of the order by time and, among equal times, by partition and offset. Records without a
 * value are left out.
 *
 * <p>Why: FIRST_VALUE and LAST_VALUE go by the order in which rows come, which is another one after each restart, and cannot be merged, as
 * sliding windows ask.
 */
public abstract class ValueByTime extends AggregateFunction<Object, Row> {

    private static final int VALUE = 0;
    private static final int TIME = 1;
    private static final int PARTITION = 2;
    private static final int OFFSET = 3;

    /** 1 for the first, -1 for the last. */
    private final int direction;

    ValueByTime(int direction) {
        this.direction = direction;
    }

    @Override
    public Row createAccumulator() {
        return new Row(4);
    }

    public void accumulate(Row so, Object value, Instant time, Integer partition, Long offset) {
        if (value != null) {
            take(so, value, time.toEpochMilli(), partition, offset);
        }
    }

    public void merge(Row so, Iterable<Row> others) {
        for (Row other : others) {
            if (other.getField(VALUE) != null) {
                take(so, other.getField(VALUE), other.getFieldAs(TIME), other.getFieldAs(PARTITION), other.getFieldAs(OFFSET));
            }
        }
    }

    @Override
    public Object getValue(Row so) {
        return so.getField(VALUE);
    }

    private void take(Row so, Object value, long time, int partition, long offset) {
        if (so.getField(VALUE) != null && direction * compare(so, time, partition, offset) < 0) {
            return;
        }
        so.setField(VALUE, value);
        so.setField(TIME, time);
        so.setField(PARTITION, partition);
        so.setField(OFFSET, offset);
    }

    private static int compare(Row so, long time, int partition, long offset) {
        int byTime = Long.compare(so.<Long>getFieldAs(TIME), time);
        if (byTime != 0) {
            return byTime;
        }
        int byPartition = Integer.compare(so.<Integer>getFieldAs(PARTITION), partition);
        return byPartition != 0 ? byPartition : Long.compare(so.<Long>getFieldAs(OFFSET), offset);
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(
                        InputTypeStrategies.sequence(
                                InputTypeStrategies.ANY,
                                InputTypeStrategies.explicit(DataTypes.TIMESTAMP_LTZ(3)),
                                InputTypeStrategies.explicit(DataTypes.INT()),
                                InputTypeStrategies.explicit(DataTypes.BIGINT())))
                .accumulatorTypeStrategy(
                        call -> {
                            DataType value = call.getArgumentDataTypes().get(0).nullable();
                            return Optional.of(
                                    DataTypes.ROW(
                                            DataTypes.FIELD("value", value),
                                            DataTypes.FIELD("time", DataTypes.BIGINT()),
                                            DataTypes.FIELD("partition", DataTypes.INT()),
                                            DataTypes.FIELD("offset", DataTypes.BIGINT())));
                        })
                .outputTypeStrategy(call -> Optional.of(call.getArgumentDataTypes().get(0).nullable()))
                .build();
    }
}
