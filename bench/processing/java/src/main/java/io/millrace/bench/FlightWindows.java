package io.millrace.bench;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;

/** Flights by airport and window of event time, with one final result for each, as a Kafka Streams topology. */
final class FlightWindows {

    /** One aggregation of the flights, and the topic of its results. */
    record Pipeline(String to, long sizeMs, long everyMs, long graceMs) {}

    /** What the windows need of an event; its other fields are skipped. */
    record Flight(String date, String origin, double distance, double delay) {}

    record Sums(long flights, double distance, double delay) {

        static final Sums NONE = new Sums(0, 0, 0);

        Sums plus(Flight flight) {
            return new Sums(flights + 1, distance + flight.distance, delay + flight.delay);
        }
    }

    record Result(String origin, String windowStart, String windowEnd, long flights, double distance, double meanDelay) {}

    private static final ObjectMapper JSON =
            new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    private static final ObjectReader FLIGHTS = JSON.readerFor(Flight.class);
    private static final ObjectWriter RESULTS = JSON.writerFor(Result.class);

    private static final Serde<Flight> FLIGHT = Serdes.serdeFrom((topic, flight) -> unused(), flights());
    private static final Serde<Result> RESULT = Serdes.serdeFrom((topic, result) -> bytes(result), (topic, bytes) -> unused());
    private static final Serde<Sums> SUMS = Serdes.serdeFrom((topic, sums) -> bytes(sums), (topic, bytes) -> sums(bytes));

    /** The times of events may be long ago: what is written of them is kept all the same. */
    private static final Map<String, String> KEPT = Map.of("retention.ms", "-1");

    private FlightWindows() {}

    static Topology topology(String from, List<Pipeline> pipelines) {
        StreamsBuilder builder = new StreamsBuilder();
        Consumed<String, Flight> flights =
                Consumed.with(Serdes.String(), FLIGHT)
                        .withTimestampExtractor((record, before) -> timeOf((Flight) record.value()));
        // The records' key is the origin, so nothing has to be partitioned again.
        KGroupedStream<String, Flight> byOrigin = builder.stream(from, flights).groupByKey();
        for (Pipeline pipeline : pipelines) {
            add(pipeline, byOrigin);
        }
        return builder.build();
    }

    private static void add(Pipeline pipeline, KGroupedStream<String, Flight> byOrigin) {
        Duration size = Duration.ofMillis(pipeline.sizeMs);
        Duration grace = Duration.ofMillis(pipeline.graceMs);
        byOrigin.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(Duration.ofMillis(pipeline.everyMs)))
                .aggregate(
                        () -> Sums.NONE,
                        (origin, flight, sums) -> sums.plus(flight),
                        Materialized.<String, Sums>as(
                                        Stores.inMemoryWindowStore(pipeline.to, size.plus(grace), size, false))
                                .withKeySerde(Serdes.String())
                                .withValueSerde(SUMS)
                                .withLoggingEnabled(KEPT))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded().withLoggingEnabled(KEPT)))
                .toStream()
                .map((window, sums) -> KeyValue.pair(window.key(), resultOf(window, sums)))
                .to(pipeline.to, Produced.with(Serdes.String(), RESULT));
    }

    private static long timeOf(Flight flight) {
        return Instant.parse(flight.date).toEpochMilli();
    }

    private static Result resultOf(Windowed<String> window, Sums sums) {
        return new Result(
                window.key(),
                window.window().startTime().toString(),
                window.window().endTime().toString(),
                sums.flights,
                sums.distance,
                sums.delay / sums.flights);
    }

    private static Deserializer<Flight> flights() {
        return (topic, bytes) -> {
            try {
                return FLIGHTS.readValue(bytes);
            } catch (IOException malformed) {
                throw new UncheckedIOException(malformed);
            }
        };
    }

    private static byte[] bytes(Result result) {
        try {
            return RESULTS.writeValueAsBytes(result);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private static byte[] bytes(Sums sums) {
        return sums == null
                ? null
                : ByteBuffer.allocate(24).putLong(sums.flights).putDouble(sums.distance).putDouble(sums.delay).array();
    }

    private static Sums sums(byte[] bytes) {
        if (bytes == null) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new Sums(buffer.getLong(), buffer.getDouble(), buffer.getDouble());
    }

    private static <T> T unused() {
        throw new UnsupportedOperationException("flights are only read, and results only written");
    }
}
