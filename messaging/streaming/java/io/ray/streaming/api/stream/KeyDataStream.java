package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;
import io.ray.streaming.api.function.impl.ReduceFunction;

/** A stream whose records with one key go to one instance of the next operator, in order. */
public class KeyDataStream<K, T> extends DataStream<T> {
  KeyDataStream(StreamingContext context, int stream) {
    super(context, stream);
  }

  /** A running fold for each key: every record gives an output, a key's first one unchanged. */
  public DataStream<T> reduce(ReduceFunction<T> function) {
    return new DataStream<>(context, add("reduce", named(function)));
  }
}
