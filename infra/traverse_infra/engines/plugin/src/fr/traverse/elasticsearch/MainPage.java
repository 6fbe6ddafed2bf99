package fr.traverse.elasticsearch;

import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;
import org.apache.lucene.util.Version;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.node.Node;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** {@code GET /} and {@code HEAD /}: who answers, and in which version. Most clients begin with it. */
final class MainPage extends BaseRestHandler {
    private final String node;
    private final Supplier<ClusterState> state;

    MainPage(Settings settings, Supplier<ClusterState> state) {
        this.node = Node.NODE_NAME_SETTING.get(settings);
        this.state = state;
    }

    @Override
    public String getName() {
        return "traverse_main_page";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        return channel -> {
            XContentBuilder page = channel.newBuilder();
            if (!request.hasParam("pretty")) {
                page.prettyPrint().lfAtEnd();
            }
            channel.sendResponse(new RestResponse(RestStatus.OK, write(page)));
        };
    }

    private XContentBuilder write(XContentBuilder page) throws IOException {
        ClusterState now = state.get();
        Build build = Build.current();
        return page.startObject()
                .field("name", node)
                .field("cluster_name", now.getClusterName().value())
                .field("cluster_uuid", now.metadata().clusterUUID())
                .startObject("version")
                .field("number", build.qualifiedVersion())
                .field("build_flavor", build.flavor())
                .field("build_type", build.type().displayName())
                .field("build_hash", build.hash())
                .field("build_date", build.date())
                .field("build_snapshot", build.isSnapshot())
                .field("lucene_version", Version.LATEST.toString())
                .field("minimum_wire_compatibility_version", build.minWireCompatVersion())
                .field("minimum_index_compatibility_version", build.minIndexCompatVersion())
                .endObject()
                .field("tagline", "You Know, for Search")
                .endObject();
    }
}
