package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.types.Row;
import org.apache.flink.util.CollectionUtil;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** As the planner calls it. */
class DecodeJsonTest {

    private static TableEnvironment environment;

    @BeforeAll
    static void open() {
        environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        environment.getConfig().set("parallelism.default", "1");
        environment.executeSql("CREATE TEMPORARY FUNCTION `DECODE_JSON` AS 'io.millrace.flink.DecodeJson'");
    }

    @Test
    void keepsEachRecordToItselfWhereOneTaskDecodesByTwoTypes() {
        List<Row> rows =
                rows(
                        "SELECT DECODE_JSON(v, 'ROW<`a` BIGINT>').`a`, DECODE_JSON(v, 'ROW<`a` STRING>').`a`, DECODE_JSON(v, 'ROW<`a` BIGINT>').`a`"
                                + " FROM (VALUES (ENCODE('{\"a\":1}', 'UTF-8')), (ENCODE('{\"a\":\"x\"}', 'UTF-8')), (ENCODE('{', 'UTF-8'))) AS t (v)");
        assertEquals(Set.of(Row.of(1L, null, 1L), Row.of(null, "x", null), Row.of(null, null, null)), Set.copyOf(rows));
    }

    @Test
    void hasNoFieldWhereItHasNoRow() {
        List<Row> rows =
                rows(
                        "SELECT COALESCE(DECODE_JSON(v, 'ROW<`a` BIGINT NOT NULL>').`a`, -1), DECODE_JSON(v, 'ROW<`a` BIGINT NOT NULL>').`a` IS NULL"
                                + " FROM (VALUES (ENCODE('{}', 'UTF-8')), (ENCODE('{\"a\":1}', 'UTF-8'))) AS t (v)");
        assertEquals(Set.of(Row.of(-1L, true), Row.of(1L, false)), Set.copyOf(rows));
    }

    @Test
    void takesFieldNamesThatSqlHasToQuote() {
        List<Row> rows =
                rows(
                        "SELECT DECODE_JSON(v, 'ROW<`it''s a ``b`` ö` STRING NOT NULL>').`it's a ``b`` ö`"
                                + " FROM (VALUES (ENCODE('{\"it''s a `b` ö\":\"x\"}', 'UTF-8'))) AS t (v)");
        assertEquals(List.of(Row.of("x")), rows);
    }

    @Test
    void refusesATypeThatIsNoRowOrHasOtherColumnsThanThePipelineLanguage() {
        for (String type : List.of("BIGINT", "ROW<a DECIMAL(3, 1)>", "ROW<a ARRAY<STRING>>", "nonsense")) {
            String query = "SELECT DECODE_JSON(v, '" + type + "') FROM (VALUES (ENCODE('{}', 'UTF-8'))) AS t (v)";
            assertThrows(Exception.class, () -> rows(query), type);
        }
        String computed = "SELECT DECODE_JSON(v, UPPER('row<a bigint>')) FROM (VALUES (ENCODE('{}', 'UTF-8'))) AS t (v)";
        assertTrue(assertThrows(ValidationException.class, () -> rows(computed)).getMessage().contains("DECODE_JSON"));
    }

    /** In any order: each of several VALUES is a source of its own. */
    private static List<Row> rows(String query) {
        return CollectionUtil.iteratorToList(environment.executeSql(query).collect());
    }
}
