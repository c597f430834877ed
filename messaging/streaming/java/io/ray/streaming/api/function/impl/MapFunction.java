package io.ray.streaming.api.function.impl;

/** One record in, one out. */
@FunctionalInterface
public interface MapFunction<T, R> {
  R map(T value) throws Exception;
}
