package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.util.CollectionUtil;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Flink's own planner takes every statement of the compiler, with the connector and the formats that run in production. */
class PlannedPipelineTest {

    static List<String> pipelines() throws IOException {
        return CompiledPipeline.names();
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void readsItsTopicOnceJudgesLatenessOnceAndAggregatesInOnePhase(String name) throws IOException {
        CompiledPipeline pipeline = CompiledPipeline.read(name);
        boolean isCorrected = pipeline.definitions().stream().anyMatch(text -> text.contains("VIEW `aggregated`"));
        boolean keepsLate = pipeline.statementSet().contains("`late_events`");
        String plan = planOf(pipeline);
        assertEquals(1, count("TableSourceScan\\(", plan), plan);
        assertEquals(keepsLate ? 4 : 3, count("Sink\\(", plan), plan);
        int judges = pipeline.recordsHave("`watermark`") ? 0 : 1;
        assertEquals(judges + (isCorrected ? 1 : 0), count("ProcessTableFunction\\(", plan), plan);
        assertEquals(0, count("LocalWindowAggregate\\(", plan), plan);
        assertEquals(1, count("WindowAggregate\\(", plan), plan);
    }

    private static String planOf(CompiledPipeline pipeline) {
        TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        pipeline.settings().forEach(environment.getConfig()::set);
        pipeline.definitions().forEach(environment::executeSql);
        String explain = pipeline.statementSet().replaceFirst("EXECUTE", "EXPLAIN");
        String plan = CollectionUtil.iteratorToList(environment.executeSql(explain).collect()).get(0).getFieldAs(0);
        return plan.substring(plan.indexOf("== Optimized Execution Plan =="));
    }

    private static long count(String pattern, String plan) {
        return Pattern.compile(pattern).matcher(plan).results().count();
    }
}
