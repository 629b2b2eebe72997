package io.millrace.flink;

import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.plugin.PluginUtils;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.RpcServiceSharing;
import org.apache.flink.table.gateway.SqlGateway;
import org.apache.flink.table.gateway.service.context.DefaultContext;
import org.apache.flink.table.gateway.service.session.SessionManager;

/**
 * Flink in one JVM: a MiniCluster (JobManager and TaskManager) and the SQL Gateway that submits to it.
 *
 * <p>Why: Flink's own entry points are three JVMs, three times the memory and the start-up time. The SQL Gateway alone would start
 * a new MiniCluster, with a REST port of its own, for every job.
 *
 * <p>Usage: {@code FlinkServer <directory of config.yaml>}. SIGTERM stops it; retained checkpoints stay.
 */
public final class FlinkServer {

    private FlinkServer() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("usage: FlinkServer <directory of config.yaml>");
        }
        Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
        FileSystem.initialize(configuration, PluginUtils.createPluginManagerFromRootFolder(configuration));
        MiniCluster cluster = new MiniCluster(settings(configuration));
        SessionManager sessions = SessionManager.create(new DefaultContext(configuration, List.of()));
        SqlGateway gateway = new SqlGateway(configuration, sessions);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(gateway, cluster), "flink-server-stop"));
        cluster.start();
        gateway.start();
        gateway.waitUntilStop();
    }

    private static MiniClusterConfiguration settings(Configuration configuration) {
        return new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(configuration.get(TaskManagerOptions.NUM_TASK_SLOTS))
                .setRpcServiceSharing(RpcServiceSharing.SHARED)
                .build();
    }

    private static void stop(SqlGateway gateway, MiniCluster cluster) {
        gateway.stop();
        try {
            cluster.close();
        } catch (Exception e) {
            System.err.println("Flink did not stop cleanly; its newest checkpoint is not affected: " + e);
        }
    }
}
