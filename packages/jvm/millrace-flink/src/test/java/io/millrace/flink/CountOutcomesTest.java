package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;

/** What is told of records in the end; that it is told once when a job dies is tested with the brokers. */
class CountOutcomesTest {

    private static final DataType JUDGED =
            DataTypes.ROW(DataTypes.INT(), DataTypes.BIGINT(), DataTypes.STRING(), DataTypes.TIMESTAMP_LTZ(3));

    @Test
    void tellsOfEachPartitionWhatItsRecordsCameTo() throws Exception {
        List<Told> told =
                accountsOf(
                        List.of(
                                judged(2, 40, "processed", "2030-01-01T10:00:00Z"),
                                judged(0, 7, "late", "1969-12-31T23:59:59.999Z"),
                                judged(2, 41, "processed", "2030-01-01T10:00:59.999Z"),
                                judged(2, 44, "filtered", "2030-01-01T10:00:59.999Z"),
                                judged(0, 8, "late", "0000-01-01T00:00:00Z"),
                                judged(2, 45, "processed", "2030-01-01T10:01:00Z")));
        assertEquals(
                List.of(
                        new Told(0, 7, 9, Map.of("1969-12-31T23:59:00Z late", 1L, "0000-01-01T00:00:00Z late", 1L)),
                        new Told(
                                2,
                                40,
                                46,
                                Map.of(
                                        "2030-01-01T10:00:00Z processed", 2L,
                                        "2030-01-01T10:00:00Z filtered", 1L,
                                        "2030-01-01T10:01:00Z processed", 1L))),
                told);
    }

    @Test
    void tellsBeforeAnAccountIsTooLongForARecord() throws Exception {
        int minutes = 10_000;
        Instant begin = Instant.parse("2030-01-01T00:00:00Z");
        List<Told> told =
                accountsOf(
                        IntStream.range(0, minutes)
                                .mapToObj(minute -> judged(0, minute, "processed", begin.plusSeconds(60L * minute).toString()))
                                .toList());
        assertTrue(told.size() > 1);
        assertEquals(minutes, told.stream().mapToInt(account -> account.counts.size()).sum());
        long through = 0;
        for (Told account : told) {
            assertEquals(through, account.from);
            through = account.through;
        }
        assertEquals(minutes, through);
    }

    private record Told(int partition, long from, long through, Map<String, Long> counts) {}

    private static RowData judged(int partition, long offset, String outcome, String time) {
        TimestampData at = TimestampData.fromInstant(Instant.parse(time));
        return GenericRowData.of(partition, offset, StringData.fromString(outcome), at);
    }

    private static List<Told> accountsOf(List<RowData> judged) throws Exception {
        StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment();
        streams.setParallelism(1);
        TypeInformation<RowData> account = InternalTypeInfo.of(AccountsTable.ACCOUNT.getLogicalType());
        List<Told> told = new ArrayList<>();
        try (CloseableIterator<RowData> rows =
                streams.fromData(judged, InternalTypeInfo.of(JUDGED.getLogicalType()))
                        .transform("count outcomes", account, new CountOutcomes("flink/a", "t"))
                        .executeAndCollect()) {
            rows.forEachRemaining(row -> told.add(told(row)));
        }
        return told;
    }

    private static Told told(RowData row) {
        assertEquals("flink/a", row.getString(1).toString());
        assertEquals("t", row.getString(2).toString());
        Map<String, Long> counts = new TreeMap<>();
        ArrayData array = row.getArray(7);
        for (int position = 0; position < array.size(); position++) {
            RowData count = array.getRow(position, 3);
            counts.put(count.getString(0) + " " + count.getString(1), count.getLong(2));
        }
        return new Told(row.getInt(3), row.getLong(4), row.getLong(5), counts);
    }
}
