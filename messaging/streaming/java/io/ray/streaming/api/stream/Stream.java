package io.ray.streaming.api.stream;

import io.ray.streaming.api.context.StreamingContext;

/** What every stream has, in whatever language its next operator is written. */
public abstract class Stream<S extends Stream<S>> {
  final StreamingContext context;
  final int stream;

  Stream(StreamingContext context, int stream) {
    this.context = context;
    this.stream = stream;
  }

  public int getId() {
    return stream;
  }

  public StreamingContext getStreamingContext() {
    return context;
  }

  /** The language of its next operator: "java" or "python". */
  public abstract String getLanguage();

  /** The stream that this one was made from, seen from the same language; null for a source. */
  public S getInputStream() {
    int input = context.input(stream);
    return input < 0 ? null : seen(input);
  }

  // Settings of the operator that makes this stream.

  public S setParallelism(int parallelism) {
    return set("set_parallelism", parallelism);
  }

  public S disableChain() {
    return set("disable_chain");
  }

  public S withConfig(String key, String value) {
    return set("with_config", key, value);
  }

  /** Each actor asks its node for so much of "CPU", "GPU", "memory" (bytes) or a resource of the cluster's own. */
  public S withResource(String key, double amount) {
    return set("with_resource", key, amount);
  }

  abstract S seen(int number);

  int add(String verb, Object... arguments) {
    return context.add(stream, getLanguage(), verb, arguments);
  }

  @SuppressWarnings("unchecked")
  private S set(String setting, Object... arguments) {
    add(setting, arguments);
    return (S) this;
  }
}
