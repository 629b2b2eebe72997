package io.millrace.flink;

import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;

/** What {@link WithWatermark} does, where rows come one by one from the source in the same task: in their last field. */
final class NoteWatermark extends AbstractStreamOperator<RowData> implements OneInputStreamOperator<RowData, RowData> {

    private transient ListState<Long> checkpointed;
    private transient TimestampData watermark;

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        checkpointed = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("watermark", Long.class));
        for (long millis : checkpointed.get()) {
            watermark = TimestampData.fromEpochMillis(millis);
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        checkpointed.update(watermark == null ? List.of() : List.of(watermark.getMillisecond()));
    }

    @Override
    public void processElement(StreamRecord<RowData> record) {
        GenericRowData row = (GenericRowData) record.getValue();
        row.setField(row.getArity() - 1, watermark);
        output.collect(record);
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermark = TimestampData.fromEpochMillis(mark.getTimestamp());
        super.processWatermark(mark);
    }
}
