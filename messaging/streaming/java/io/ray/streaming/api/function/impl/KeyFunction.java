package io.ray.streaming.api.function.impl;

/** Returns the key of a record: text, a number, a boolean, a byte array, or an array of these. */
@FunctionalInterface
public interface KeyFunction<T, K> {
  K keyBy(T value) throws Exception;
}
