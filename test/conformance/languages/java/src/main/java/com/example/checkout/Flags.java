package com.example.checkout;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.time.Duration;

final class Flags {
  static Client connect() {
    // The environment is part of the address: http://127.0.0.1:7401/environments/production
    var options =
        OfrepProviderOptions.builder()
            .baseUrl(System.getenv("TIDEGATE_OFREP_URL"))
            .headers(
                ImmutableMap.of(
                    "Authorization", ImmutableList.of("Bearer " + System.getenv("TIDEGATE_KEY"))))
            .requestTimeout(Duration.ofSeconds(3))
            .build();
    var api = OpenFeatureAPI.getInstance();
    api.setProviderAndWait(OfrepProvider.constructProvider(options));
    return api.getClient();
  }

  private Flags() {}
}
