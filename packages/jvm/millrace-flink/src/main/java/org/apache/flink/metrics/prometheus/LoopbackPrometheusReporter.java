package org.apache.flink.metrics.prometheus;

import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Flink's metrics in Prometheus' text format, on 127.0.0.1 only.
 *
 * <p>Why: Flink's own PrometheusReporter binds all interfaces and ignores its host option. It stands in Flink's package because
 * the registry that it serves is visible only there.
 */
public final class LoopbackPrometheusReporter extends AbstractPrometheusReporter {

    private final HTTPServer server;

    LoopbackPrometheusReporter(int port) {
        try {
            server = new HTTPServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), registry, true);
        } catch (IOException e) {
            throw new UncheckedIOException("metrics port " + port + " of 127.0.0.1 cannot be opened", e);
        }
    }

    @Override
    public void close() {
        server.stop();
        super.close();
    }
}
