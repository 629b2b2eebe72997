import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.util.JsonFormat;
import io.apicurio.registry.utils.protobuf.schema.FileDescriptorUtils;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The reference implementations of Avro and Protobuf, and Kafka's own client, behind standard input and output: what our decoders and
 * what the gateway wrote are compared with. It shares no code with the platform.
 *
 * <p>{@code decode}: each line of input is {@code {format, schema, references: {name: text}, messageIndexes, bytes}} (bytes in base64),
 * each line of output {@code {ok: true, data}} or {@code {ok: false, error}}.
 *
 * <p>{@code consume}: the one line of input is {@code {settings, registryUrl, authorization, caFile, counts: {topic: n}, timeoutMs}};
 * reads so many records of each topic and writes a line for each: {@code {topic, partition, offset, key, headers, schemaId, data}}.
 */
public final class Reference {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

  private interface Decoder {
    JsonNode decode(byte[] bytes, List<Integer> messageIndexes) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    if (args[0].equals("decode")) decodeAll(input);
    else consume(JSON.readTree(input.readLine()));
    OUT.flush();
  }

  private static void decodeAll(BufferedReader input) throws Exception {
    var decoders = new HashMap<String, Decoder>();
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonNode asked = JSON.readTree(line);
      ObjectNode answer = NODES.objectNode();
      try {
        String name = asked.path("format").asText() + asked.path("schema").asText() + asked.path("references");
        Decoder decoder = decoders.get(name);
        if (decoder == null) decoders.put(name, decoder = decoderOf(asked));
        byte[] bytes = Base64.getDecoder().decode(asked.path("bytes").asText());
        answer.put("ok", true).set("data", decoder.decode(bytes, indexesOf(asked.path("messageIndexes"))));
      } catch (Exception | StackOverflowError | OutOfMemoryError error) {
        answer.removeAll();
        answer.put("ok", false).put("error", String.valueOf(error.getMessage()));
      }
      OUT.println(JSON.writeValueAsString(answer));
      OUT.flush();
    }
  }

  private static List<Integer> indexesOf(JsonNode asked) {
    var indexes = new ArrayList<Integer>();
    asked.forEach(index -> indexes.add(index.asInt()));
    return indexes.isEmpty() ? List.of(0) : indexes;
  }

  private static Decoder decoderOf(JsonNode source) throws Exception {
    var references = new HashMap<String, String>();
    source.path("references").properties().forEach(entry -> references.put(entry.getKey(), entry.getValue().asText()));
    String schema = source.path("schema").asText();
    return switch (source.path("format").asText()) {
      case "avro" -> avroDecoder(schema, references);
      case "protobuf" -> protobufDecoder(schema, references);
      default -> (bytes, indexes) -> JSON.readTree(bytes);
    };
  }

  // --- Avro

  private static Decoder avroDecoder(String text, Map<String, String> references) {
    var parser = new Schema.Parser();
    references.values().forEach(parser::parse);
    Schema schema = parser.parse(text);
    return (bytes, indexes) -> {
      BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
      Object datum = new GenericDatumReader<>(schema).read(null, decoder);
      if (!decoder.isEnd()) throw new IllegalArgumentException("bytes behind the datum");
      return jsonOf(datum);
    };
  }

  private static JsonNode jsonOf(Object datum) {
    return switch (datum) {
      case null -> NODES.nullNode();
      case Boolean value -> NODES.booleanNode(value);
      case Integer value -> NODES.numberNode(value);
      case Long value -> NODES.numberNode(value);
      case Float value -> real(value);
      case Double value -> real(value);
      case ByteBuffer value -> NODES.textNode(new String(bytesOf(value), StandardCharsets.ISO_8859_1));
      case GenericFixed value -> NODES.textNode(new String(value.bytes(), StandardCharsets.ISO_8859_1));
      case IndexedRecord value -> recordOf(value);
      case Map<?, ?> value -> {
        ObjectNode map = NODES.objectNode();
        value.forEach((key, item) -> map.set(key.toString(), jsonOf(item)));
        yield map;
      }
      case Iterable<?> value -> {
        ArrayNode array = NODES.arrayNode();
        value.forEach(item -> array.add(jsonOf(item)));
        yield array;
      }
      default -> NODES.textNode(datum.toString());
    };
  }

  private static JsonNode real(double value) {
    return Double.isFinite(value) ? NODES.numberNode(value) : NODES.textNode(String.valueOf(value));
  }

  private static JsonNode recordOf(IndexedRecord record) {
    ObjectNode object = NODES.objectNode();
    for (Schema.Field field : record.getSchema().getFields()) object.set(field.name(), jsonOf(record.get(field.pos())));
    return object;
  }

  private static byte[] bytesOf(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  // --- Protobuf

  private static Decoder protobufDecoder(String text, Map<String, String> references) throws Exception {
    FileDescriptor file =
        FileDescriptorUtils.protoFileToFileDescriptor(text, "schema.proto", Optional.empty(), references, Map.of());
    var printer = JsonFormat.printer().alwaysPrintFieldsWithNoPresence();
    return (bytes, indexes) -> {
      Descriptor message = file.getMessageTypes().get(indexes.get(0));
      for (int index : indexes.subList(1, indexes.size())) message = message.getNestedTypes().get(index);
      return JSON.readTree(printer.print(DynamicMessage.parseFrom(message, bytes)));
    };
  }

  // --- Kafka and the Schema Registry

  private static void consume(JsonNode asked) throws Exception {
    var properties = new Properties();
    asked.path("settings").properties().forEach(entry -> properties.put(entry.getKey(), entry.getValue().asText()));
    properties.put("auto.offset.reset", "earliest");
    properties.put("isolation.level", "read_committed");
    var left = new HashMap<String, Integer>();
    asked.path("counts").properties().forEach(entry -> left.put(entry.getKey(), entry.getValue().asInt()));
    long deadline = System.nanoTime() + asked.path("timeoutMs").asLong() * 1_000_000;
    var registry = new Registry(asked);
    try (var consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(left.keySet());
      while (left.values().stream().anyMatch(count -> count > 0) && System.nanoTime() < deadline) {
        for (var record : consumer.poll(Duration.ofMillis(500))) {
          left.merge(record.topic(), -1, Integer::sum);
          OUT.println(JSON.writeValueAsString(lineOf(record, registry)));
        }
      }
    }
  }

  private static ObjectNode lineOf(ConsumerRecord<byte[], byte[]> record, Registry registry) throws Exception {
    ObjectNode line = NODES.objectNode();
    line.put("topic", record.topic()).put("partition", record.partition()).put("offset", record.offset());
    line.put("key", record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8));
    ObjectNode headers = line.putObject("headers");
    for (Header header : record.headers()) headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
    if (headers.path("content-type").asText().equals("application/json")) {
      return line.set("data", JSON.readTree(record.value()));
    }
    var framed = ByteBuffer.wrap(record.value());
    if (framed.get() != 0) throw new IllegalArgumentException("not in the registry's wire format");
    int schemaId = framed.getInt();
    line.put("schemaId", schemaId);
    Registered schema = registry.byId(schemaId);
    var indexes = schema.isProtobuf ? readIndexes(framed) : List.of(0);
    return line.set("data", schema.decoder.decode(bytesOf(framed), indexes));
  }

  private static List<Integer> readIndexes(ByteBuffer framed) {
    int count = readZigzag(framed);
    if (count == 0) return List.of(0);
    var indexes = new ArrayList<Integer>();
    while (indexes.size() < count) indexes.add(readZigzag(framed));
    return indexes;
  }

  private static int readZigzag(ByteBuffer buffer) {
    int bits = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = buffer.get();
      bits |= (next & 0x7f) << shift;
      if (next >= 0) return (bits >>> 1) ^ -(bits & 1);
    }
  }

  private record Registered(boolean isProtobuf, Decoder decoder) {}

  private static final class Registry {
    private final HttpClient client;
    private final String url;
    private final String authorization;
    private final Map<Integer, Registered> known = new HashMap<>();

    Registry(JsonNode asked) throws Exception {
      url = asked.path("registryUrl").asText();
      authorization = asked.path("authorization").asText();
      client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(trusting(asked.path("caFile").asText())).build();
    }

    Registered byId(int id) throws Exception {
      Registered schema = known.get(id);
      if (schema == null) known.put(id, schema = fetch("/schemas/ids/" + id));
      return schema;
    }

    private Registered fetch(String path) throws Exception {
      JsonNode answer = get(path);
      var references = new HashMap<String, String>();
      collect(answer.path("references"), references);
      String schema = answer.path("schema").asText();
      boolean isProtobuf = answer.path("schemaType").asText().equals("PROTOBUF");
      return new Registered(isProtobuf, isProtobuf ? protobufDecoder(schema, references) : avroDecoder(schema, references));
    }

    private void collect(JsonNode references, Map<String, String> texts) throws Exception {
      for (JsonNode reference : references) {
        JsonNode answer = get("/subjects/" + reference.path("subject").asText() + "/versions/" + reference.path("version").asInt());
        collect(answer.path("references"), texts);
        texts.put(reference.path("name").asText(), answer.path("schema").asText());
      }
    }

    private JsonNode get(String path) throws Exception {
      var request = HttpRequest.newBuilder(URI.create(url + path)).header("authorization", authorization).timeout(Duration.ofSeconds(10));
      HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) throw new IllegalStateException(path + ": " + answer.statusCode());
      return JSON.readTree(answer.body());
    }

    private static SSLContext trusting(String caFile) throws Exception {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      try (var file = new FileInputStream(caFile)) {
        int number = 0;
        for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
          store.setCertificateEntry("ca-" + number++, certificate);
        }
      }
      TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    }
  }
}
