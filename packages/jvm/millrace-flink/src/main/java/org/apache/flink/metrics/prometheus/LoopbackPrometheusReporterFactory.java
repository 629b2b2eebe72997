package org.apache.flink.metrics.prometheus;

import java.util.Properties;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Makes the reporter on the port of {@code metrics.reporter.<name>.port}; there is no default. */
public final class LoopbackPrometheusReporterFactory implements MetricReporterFactory {

    @Override
    public MetricReporter createMetricReporter(Properties properties) {
        int port = ((MetricConfig) properties).getInteger("port", 0);
        if (port <= 0) {
            throw new IllegalArgumentException("metrics.reporter.<name>.port is missing");
        }
        return new LoopbackPrometheusReporter(port);
    }
}
