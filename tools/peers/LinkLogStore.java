package deltaworks.peers;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Creates a commit by link(2), which fails where another process was first. What Delta on Spark does by itself on
 * a local disk is to look whether the version is there and to rename then: a commit made in between is overwritten.
 */
public class LinkLogStore extends HadoopFileSystemLogStore {
    public LinkLogStore(Configuration configuration) {
        super(configuration);
    }

    @Override
    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
            throws IOException {
        java.nio.file.Path target = Paths.get(path.toUri().getPath());
        java.nio.file.Path made = Paths.get(createTempPath(path).toUri().getPath());
        try {
            try (BufferedWriter writer = Files.newBufferedWriter(made)) {
                while (actions.hasNext()) {
                    writer.write(actions.next());
                    writer.write('\n');
                }
            }
            if (overwrite) {
                Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.createLink(target, made);
            }
        } finally {
            Files.deleteIfExists(made);
        }
    }

    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration configuration) {
        return false;
    }
}
