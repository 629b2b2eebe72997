package org.apache.flink.metrics.prometheus;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.metrics.CharacterFilter;
import org.apache.flink.metrics.LogicalScopeProvider;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LoopbackPrometheusReporterTest {

    private int port;
    private MetricReporter reporter;

    @BeforeEach
    void open() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        reporter = reporterOn(port);
    }

    @AfterEach
    void close() {
        reporter.close();
    }

    @Test
    void servesMetrics() throws Exception {
        SimpleCounter counter = new SimpleCounter();
        counter.inc(7);
        reporter.notifyOfAddedMetric(counter, "events", new JobGroup());
        assertTrue(get().lines().anyMatch("flink_job_events{topic=\"order_placed\",} 7.0"::equals), get());
    }

    @Test
    void listensOn127001Alone() throws Exception {
        new Socket("127.0.0.1", port).close();
        for (InetAddress address : otherAddresses().toList()) {
            assertThrows(ConnectException.class, () -> new Socket(address, port).close(), address.toString());
        }
    }

    @Test
    void saysWhichPortIsTaken() {
        String message = assertThrows(UncheckedIOException.class, () -> reporterOn(port)).getMessage();
        assertTrue(message.contains(String.valueOf(port)), message);
    }

    @Test
    void hasNoDefaultPort() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new LoopbackPrometheusReporterFactory().createMetricReporter(new MetricConfig()));
    }

    @Test
    void listensNoMoreWhenClosed() {
        reporter.close();
        assertThrows(ConnectException.class, () -> new Socket("127.0.0.1", port).close());
    }

    private static MetricReporter reporterOn(int port) {
        MetricConfig config = new MetricConfig();
        config.setProperty("port", String.valueOf(port));
        return new LoopbackPrometheusReporterFactory().createMetricReporter(config);
    }

    private String get() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Every other address of this machine. */
    private static Stream<InetAddress> otherAddresses() throws IOException {
        InetAddress own = InetAddress.getByName("127.0.0.1");
        Stream<InetAddress> known = NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses);
        return Stream.concat(known, Stream.of(InetAddress.getByName("127.0.0.2"))).filter(address -> !address.equals(own));
    }

    private static final class JobGroup extends UnregisteredMetricsGroup implements LogicalScopeProvider {

        @Override
        public Map<String, String> getAllVariables() {
            return Map.of("<topic>", "order_placed");
        }

        @Override
        public String getLogicalScope(CharacterFilter filter) {
            return "job";
        }

        @Override
        public String getLogicalScope(CharacterFilter filter, char delimiter) {
            return "job";
        }

        @Override
        public MetricGroup getWrappedMetricGroup() {
            return this;
        }
    }
}
