package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;
import java.util.Collection;

/** Where a stream begins. */
public final class DataStreamSource {
  private DataStreamSource() {}

  /** A source of these values: null, booleans, numbers, text, byte arrays, and arrays of them. */
  public static <T> DataStream<T> fromCollection(StreamingContext context, Collection<T> values) {
    return new DataStream<>(context, context.add(-1, "java", "from_values", values.toArray()));
  }
}
