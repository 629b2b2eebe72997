package io.millrace.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.security.URIParameter;
import java.time.Duration;
import java.util.Map;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
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
    void flinkReadsTheConfigurationOfATaskManager() {
        org.apache.flink.configuration.Configuration read =
                GlobalConfiguration.loadConfiguration(GOLDEN.resolve("taskmanager").toString());
        assertEquals(Duration.ofSeconds(1), read.get(HeartbeatManagerOptions.HEARTBEAT_INTERVAL));
        assertEquals(Duration.ofSeconds(10), read.get(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT));
        assertEquals("127.0.0.1", read.get(TaskManagerOptions.HOST));
        assertEquals("6126", read.get(TaskManagerOptions.RPC_PORT));
        assertEquals(8.0, read.get(TaskManagerOptions.CPU_CORES));
        assertEquals(256, read.get(TaskManagerOptions.MANAGED_MEMORY_SIZE).getMebiBytes());
        assertEquals(
                TaskManagerOptions.TaskManagerLoadBalanceMode.SLOTS,
                read.get(TaskManagerOptions.TASK_MANAGER_LOAD_BALANCE_MODE));
        assertTrue(read.get(CheckpointingOptions.INCREMENTAL_CHECKPOINTS));
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
