package io.ray.streaming.api.collector;

/** What a flat map hands its outputs to. */
@FunctionalInterface
public interface Collector<T> {
  void collect(T value);
}
