package io.ray.streaming.api.function.impl;

/** The end of a branch; called at least once for each record. */
@FunctionalInterface
public interface SinkFunction<T> {
  void sink(T value) throws Exception;
}
