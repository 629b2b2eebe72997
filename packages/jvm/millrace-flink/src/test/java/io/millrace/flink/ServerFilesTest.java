package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.security.URIParameter;
import java.util.Map;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.junit.jupiter.api.Test;

/** The files that packages/flink writes for the server, read as the server reads them. */
class ServerFilesTest {

    private static final Path GOLDEN = Path.of("../../flink/test/golden");

    @Test
    void flinkReadsItsConfiguration() {
        org.apache.flink.configuration.Configuration read = GlobalConfiguration.loadConfiguration(GOLDEN.toString());
        assertEquals("127.0.0.1", read.get(RestOptions.BIND_ADDRESS));
        assertEquals("8081", read.get(RestOptions.BIND_PORT));
        assertEquals("127.0.0.1", read.get(JobManagerOptions.BIND_HOST));
        assertEquals("127.0.0.1", read.get(TaskManagerOptions.BIND_HOST));
        assertEquals(8, read.get(TaskManagerOptions.NUM_TASK_SLOTS));
        assertEquals(128, read.get(TaskManagerOptions.MANAGED_MEMORY_SIZE).getMebiBytes());
        assertEquals("file:///millrace/check points: # \"1\" \\", read.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY));
        assertFalse(read.get(WebOptions.SUBMIT_ENABLE));
    }

    @Test
    void javaReadsTheUserOfKafkasClients() throws Exception {
        URIParameter file = new URIParameter(GOLDEN.resolve("flink.jaas").toUri());
        AppConfigurationEntry[] entries =
                Configuration.getInstance("JavaLoginConfig", file).getAppConfigurationEntry("KafkaClient");
        assertEquals(1, entries.length);
        assertEquals(Map.of("username", "flink", "password", "pass \"word\\ 'é';"), entries[0].getOptions());
        Class.forName(entries[0].getLoginModuleName());
    }
}
