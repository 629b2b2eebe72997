package io.millrace.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The SQL that the compiler makes of a pipeline, as packages/flink/test/golden keeps it. */
record CompiledPipeline(String name, Map<String, String> settings, List<String> definitions, String statementSet) {

    private static final Path GOLDEN = Path.of("../../flink/test/golden");
    private static final Pattern SETTING = Pattern.compile("SET '(.+)' = '(.*)'");

    static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".sql"))
                    .map(file -> file.substring(0, file.length() - ".sql".length()))
                    .sorted()
                    .toList();
        }
    }

    static CompiledPipeline read(String name) throws IOException {
        Map<String, String> settings = new TreeMap<>();
        List<String> others = new ArrayList<>();
        for (String statement : Files.readString(GOLDEN.resolve(name + ".sql")).split(";\n\n")) {
            Matcher setting = SETTING.matcher(statement);
            if (setting.matches()) {
                settings.put(setting.group(1), setting.group(2));
            } else {
                others.add(statement);
            }
        }
        int last = others.size() - 1;
        return new CompiledPipeline(name, settings, others.subList(0, last), others.get(last));
    }

    /** Whether the source has a column of this name. */
    boolean recordsHave(String column) {
        return definitions.stream()
                .filter(statement -> statement.startsWith("CREATE TEMPORARY TABLE `records`"))
                .flatMap(String::lines)
                .anyMatch(line -> line.startsWith("  " + column + " "));
    }

    /** The column of a table's definition that begins so, without its name and the comma that ends it. */
    String recordsColumn(String beginning) {
        String start = "  " + beginning + " AS ";
        return definitions.stream()
                .filter(statement -> statement.startsWith("CREATE TEMPORARY TABLE `records`"))
                .flatMap(String::lines)
                .filter(line -> line.startsWith(start))
                .map(line -> line.substring(start.length()).replaceFirst(",$", ""))
                .findFirst()
                .orElseThrow();
    }

    /** What is written to a table. */
    String query(String table) {
        Matcher insert =
                Pattern.compile("INSERT INTO `" + table + "` (SELECT.+?);\n(?=INSERT|END)", Pattern.DOTALL)
                        .matcher(statementSet);
        if (!insert.find()) {
            throw new IllegalArgumentException(name + " writes no " + table);
        }
        return insert.group(1);
    }
}
