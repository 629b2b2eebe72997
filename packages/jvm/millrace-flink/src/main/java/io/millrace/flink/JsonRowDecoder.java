package io.millrace.flink;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Reads one JSON object in strict UTF-8 into a row. Not for several threads at a time. */
final class JsonRowDecoder implements Serializable {

    private static final JsonFactory JSON = new JsonFactory();

    private final List<JsonField> fields;
    private transient Map<String, Integer> positions;
    private transient CharsetDecoder utf8;
    private transient CharBuffer characters;

    JsonRowDecoder(RowType type) {
        fields = type.getFields().stream().map(JsonField::of).toList();
    }

    /** The row, or null for whatever is not such an object, from invalid UTF-8 to a value of another type. */
    RowData decode(byte[] value) {
        if (value == null || !decodeUtf8(value)) {
            return null;
        }
        try (JsonParser json = JSON.createParser(characters.array(), 0, characters.position())) {
            return json.nextToken() == JsonToken.START_OBJECT ? row(json) : null;
        } catch (IOException malformed) {
            return null;
        }
    }

    private RowData row(JsonParser json) throws IOException {
        GenericRowData row = new GenericRowData(fields.size());
        while (json.nextToken() != JsonToken.END_OBJECT) {
            Integer position = positions().get(json.currentName());
            JsonToken token = json.nextToken();
            if (position == null) {
                json.skipChildren();
                continue;
            }
            // As in JSON.parse, which the gateway uses, the last of several equal names wins.
            row.setField(position, token == JsonToken.VALUE_NULL ? null : fields.get(position).read(json));
            // What stands in a value that should have been a scalar is no field of the event.
            json.skipChildren();
        }
        return json.nextToken() == null && isOfType(row) ? row : null;
    }

    private boolean isOfType(GenericRowData row) {
        for (int position = 0; position < fields.size(); position++) {
            Object value = row.getField(position);
            if (value == JsonField.WRONG || (value == null && !fields.get(position).nullable())) {
                return false;
            }
        }
        return true;
    }

    /** Jackson itself would guess UTF-16 and UTF-32 from the first bytes, and let overlong forms pass. */
    private boolean decodeUtf8(byte[] value) {
        if (utf8 == null) {
            utf8 =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .onUnmappableCharacter(CodingErrorAction.REPORT);
        }
        if (characters == null || characters.capacity() < value.length) {
            characters = CharBuffer.allocate(Math.max(value.length, 1_024));
        }
        characters.clear();
        utf8.reset();
        return !utf8.decode(ByteBuffer.wrap(value), characters, true).isError() && !utf8.flush(characters).isError();
    }

    private Map<String, Integer> positions() {
        if (positions == null) {
            positions = new HashMap<>();
            for (int position = 0; position < fields.size(); position++) {
                positions.put(fields.get(position).name(), position);
            }
        }
        return positions;
    }
}
