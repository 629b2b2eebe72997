package io.millrace.flink;

import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Keeps the counters of the jobs in this JVM, so that a test can ask for one when its job has ended. */
public final class CounterReporter implements MetricReporter, MetricReporterFactory {

    private record Named(String name, Counter counter) {}

    private static final List<Named> COUNTERS = new CopyOnWriteArrayList<>();

    static void forget() {
        COUNTERS.clear();
    }

    static long sum(String name) {
        return COUNTERS.stream().filter(it -> it.name().equals(name)).mapToLong(it -> it.counter().getCount()).sum();
    }

    @Override
    public MetricReporter createMetricReporter(Properties properties) {
        return this;
    }

    @Override
    public void open(MetricConfig config) {}

    @Override
    public void close() {}

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
        if (metric instanceof Counter counter) {
            COUNTERS.add(new Named(name, counter));
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
}
