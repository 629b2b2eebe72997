package io.millrace.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * Runs topologies one after the other in one JVM, so that all but the first find it warm.
 *
 * <p>Usage: {@code StreamsProgram <settings.properties>}. A line of JSON on standard input starts a run, which says {@code running} when
 * all of its threads do; the next line, whatever it holds, ends it, which says {@code stopped}. The end of input ends the program.
 */
public final class StreamsProgram {

    record Run(String applicationId, int threads, String from, List<FlightWindows.Pipeline> pipelines) {}

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    private StreamsProgram() {}

    public static void main(String[] arguments) throws IOException {
        Properties settings = new Properties();
        try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
            settings.load(file);
        }
        ObjectMapper json = new ObjectMapper();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try (Running running = new Running(json.readValue(line, Run.class), settings)) {
                lines.readLine();
            }
            System.out.println("stopped");
        }
    }

    private static final class Running implements AutoCloseable {

        private final KafkaStreams streams;

        Running(Run run, Properties settings) {
            Properties properties = new Properties();
            properties.putAll(settings);
            properties.put(StreamsConfig.APPLICATION_ID_CONFIG, run.applicationId);
            properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, run.threads);
            streams = new KafkaStreams(FlightWindows.topology(run.from, run.pipelines), properties);
            streams.setUncaughtExceptionHandler(
                    failure -> {
                        failure.printStackTrace();
                        Runtime.getRuntime().halt(1);
                        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                    });
            streams.setStateListener(
                    (state, before) -> {
                        if (state == State.RUNNING) {
                            System.out.println("running");
                        }
                    });
            streams.start();
        }

        @Override
        public void close() {
            streams.close(CLOSE_TIMEOUT);
            streams.cleanUp();
        }
    }
}
