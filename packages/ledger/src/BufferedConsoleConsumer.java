import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import org.apache.kafka.tools.consumer.ConsoleConsumer;

/**
 * Kafka's console consumer, run from this source by java itself. It prints a record in about forty pieces, and Java's System.out makes each
 * of them a system call, which takes most of its time; here a record is one: the consumer flushes after each.
 */
public final class BufferedConsoleConsumer {
  private static final int BUFFER_BYTES = 65_536;

  public static void main(String[] options) throws Exception {
    var output = new FileOutputStream(FileDescriptor.out);
    System.setOut(new PrintStream(new BufferedOutputStream(output, BUFFER_BYTES), false));
    ConsoleConsumer.main(options);
  }
}
