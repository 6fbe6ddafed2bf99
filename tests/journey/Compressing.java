import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends the octets of files to a topic with Kafka's own client: BOOTSTRAP TOPIC (CODEC FILE SIGNATURE)... */
class Compressing {
    public static void main(String[] words) throws Exception {
        for (int at = 2; at < words.length; at += 3) {
            Map<String, Object> settings =
                    Map.of("bootstrap.servers", words[0], "compression.type", words[at]);
            byte[] value = Files.readAllBytes(Path.of(words[at + 1]));
            ByteArraySerializer raw = new ByteArraySerializer();
            try (KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(settings, raw, raw)) {
                ProducerRecord<byte[], byte[]> event = new ProducerRecord<>(words[1], value);
                event.headers().add("traverse-signature", words[at + 2].getBytes());
                producer.send(event).get();
            }
        }
    }
}
